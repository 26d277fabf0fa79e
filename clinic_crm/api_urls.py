"""`/api/v1/`: the doors for other systems, assembled from every room's `api.py`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from analytics.api import MetricRowsView, MetricView, RegistryView
from funnel.api import DOORS as FUNNEL
from funnel.api.bookings import BookingAnswerView, BookingsView
from loyalty.api import ValueView
from messaging.api import DOORS as MESSAGING
from messaging.api import TemplateListView, TemplateView
from patients.api import DOORS as PATIENTS
from patients.api.changes import ChangesView
from patients.api.slots import FreeSlotsView
from reception.api import DOORS as VISITS
from staff.api.ground import DOORS as GROUND
from staff.api.schema import nowhere
from staff.api.schema import urlpatterns as contract
from staff.api.views import routes

urlpatterns: list[URLPattern | URLResolver] = [
    path("metrics/", RegistryView.as_view(), name="metrics"),
    path("metrics/<slug:slug>/", MetricView.as_view(), name="metric"),
    path("metrics/<slug:slug>/rows/", MetricRowsView.as_view(), name="metric-rows"),
    path("patients/<id:patient_id>/value/", ValueView.as_view(), name="patient-value"),
    *(route for door in (*GROUND, *PATIENTS, *VISITS, *MESSAGING, *FUNNEL) for route in routes(door)),
    path("templates/", TemplateListView.as_view(), name="templates"),
    path("templates/<slug:code>/<slug:transport>/<slug:language>/", TemplateView.as_view(), name="template"),
    path("bookings/", BookingsView.as_view(), name="bookings"),
    path("bookings/<id:pk>/answer/", BookingAnswerView.as_view(), name="booking-answer"),
    path("slots/free/", FreeSlotsView.as_view(), name="free-slots"),
    path("changes/", ChangesView.as_view(), name="changes"),
    *contract,
    nowhere,  # stays last: it answers every other address
]
