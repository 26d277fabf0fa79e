from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from reception.views import booking, card, duplicates, find, people, today, visit, work, zone

app_name = "reception"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", today.home, name="home"),
    path("today/", today.today, name="today"),
    path("find/", find.find, name="find"),
    path("services/", find.services, name="services"),
    path("slots/", booking.slots, name="slots"),
    path("patients/", people.patients, name="patients"),
    path("patients/new/", people.new, name="patient_new"),
    path("patients/similar/", people.similar, name="patient_similar"),
    path("patients/<int:pk>/", card.card, name="card"),
    path("patients/<int:pk>/timeline/", card.more, name="timeline"),
    path("patients/<int:pk>/offer/", card.offer, name="offer"),
    path("patients/<int:pk>/edit/", people.edit, name="patient_edit"),
    path("patients/<int:pk>/consents/", people.consent, name="consent"),
    path("patients/<int:pk>/book/", booking.book, name="book"),
    path("patients/<int:pk>/visit/", visit.walk_in, name="walk_in"),
    path("patients/<int:pk>/work/", work.new_item, name="work_new"),
    path("visits/<int:pk>/log/", visit.log_visit, name="log_visit"),
    path("visits/<int:pk>/move/", booking.move, name="move"),
    path("visits/<int:pk>/cancel/", booking.cancel, name="cancel"),
    path("visits/<int:pk>/<slug:verb>/", today.change, name="change"),
    path("work/", work.work, name="work"),
    path("work/<int:pk>/claim/", work.claim, name="claim"),
    path("work/<int:pk>/close/", work.close, name="work_close"),
    path("staff/settings/zone/", zone.zone, name="zone"),
    path("duplicates/", duplicates.duplicates, name="duplicates"),
    path("duplicates/<int:left>/<int:right>/", duplicates.compare, name="compare"),
    path("duplicates/<int:pk>/dismiss/", duplicates.dismiss, name="dismiss"),
    path("duplicates/merges/", duplicates.merges, name="merges"),
    path("duplicates/merges/<int:pk>/undo/", duplicates.undo, name="undo_merge"),
]
