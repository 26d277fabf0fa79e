from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from messaging.views.automations import approve, delay, one, overview, switch, withdraw
from messaging.views.contact import budget, contact, hold, lift_hold, lift_suppression, message, suppress
from messaging.views.inbox import answer, handled, inbox, wrong_number
from messaging.views.operations import health, transport
from messaging.views.outbox import outbox, pause, resolve
from messaging.views.proof import of_message, of_patient, scan
from messaging.views.telegram import telegram
from messaging.views.templates import patients, preview, reset, template, trial

app_name = "messaging"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", outbox, name="outbox"),
    path("pause/", pause, name="pause"),
    path("budgets/", budget, name="budgets"),
    path("contact/<int:pk>/", contact, name="contact"),
    path("contact/<int:pk>/hold/", hold, name="hold"),
    path("contact/<int:pk>/holds/<int:hold_id>/lift/", lift_hold, name="lift_hold"),
    path("contact/<int:pk>/suppress/", suppress, name="suppress"),
    path("contact/<int:pk>/suppressions/<int:suppression_id>/lift/", lift_suppression, name="lift_suppression"),
    path("<int:message_id>/", message, name="message"),
    path("health/", health, name="health"),
    path("health/<slug:transport>/", transport, name="transport"),
    path("inbox/", inbox, name="inbox"),
    path("inbox/<int:pk>/", answer, name="answer"),
    path("inbox/<int:pk>/handled/", handled, name="handled"),
    path("inbox/<int:pk>/wrong-number/", wrong_number, name="wrong_number"),
    path("telegram/<int:pk>/", telegram, name="telegram"),
    path("<int:message_id>/resolve/", resolve, name="resolve"),
    path("<int:message_id>/proof/", of_message, name="message_proof"),
    path("proof/patients/<int:pk>/", of_patient, name="patient_proof"),
    path("proof/scans/<int:scan_id>/", scan, name="scan"),
    path("automations/", overview, name="automations"),
    path("automations/<slug:code>/", one, name="automation"),
    path("automations/<slug:code>/switch/", switch, name="switch"),
    path("automations/<slug:code>/delay/", delay, name="delay"),
    path("automations/<slug:code>/approve/", approve, name="approve"),
    path("automations/<slug:code>/approvals/<int:approval_id>/withdraw/", withdraw, name="withdraw"),
    path("texts/patients/", patients, name="preview_patients"),
    path("texts/<slug:code>/<slug:transport>/<slug:language>/", template, name="template"),
    path("texts/<slug:code>/<slug:transport>/<slug:language>/preview/", preview, name="preview"),
    path("texts/<slug:code>/<slug:transport>/<slug:language>/trial/", trial, name="trial"),
    path("texts/<slug:code>/<slug:transport>/<slug:language>/reset/", reset, name="reset"),
]
