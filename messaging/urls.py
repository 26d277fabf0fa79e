from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from messaging.views.outbox import outbox, pause, resolve
from messaging.views.templates import switch, template, templates

app_name = "messaging"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", outbox, name="outbox"),
    path("pause/", pause, name="pause"),
    path("<int:message_id>/resolve/", resolve, name="resolve"),
    path("texts/", templates, name="templates"),
    path("texts/<slug:code>/<slug:transport>/<slug:language>/", template, name="template"),
    path("automations/<slug:code>/", switch, name="switch"),
]
