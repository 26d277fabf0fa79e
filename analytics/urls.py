from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from analytics import views

app_name = "analytics"
urlpatterns: list[URLPattern | URLResolver] = [
    path("dashboard/", views.dashboard, name="dashboard"),
    path("value/", views.value, name="value"),
    path("value/patients/", views.top, name="top"),
    path("retention/", views.retention, name="retention"),
    path("funnel/", views.funnel, name="funnel"),
    path("channels/", views.channels, name="channels"),
    path("load/", views.load, name="load"),
    path("what-if/", views.what_if, name="what_if"),
    path("how-we-count/", views.how_we_count, name="how_we_count"),
    path("metrics/<slug:slug>/rows/", views.rows, name="rows"),
    path("metrics/<slug:slug>/rows.<slug:fmt>", views.rows_export, name="rows_export"),
    path("tables/<slug:page>/<slug:table>.<slug:fmt>", views.export, name="export"),
]
