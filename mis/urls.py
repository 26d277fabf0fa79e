from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from mis import views

app_name = "mis"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.imports, name="imports"),
    path("<int:pk>/", views.job, name="job"),
    path("<int:pk>/first-rows/", views.dry_run, name="dry_run"),
    path("<int:pk>/columns/", views.columns, name="columns"),
    path("<int:pk>/start/", views.start, name="start"),
    path("<int:pk>/discard/", views.discard, name="discard"),
    path("<int:pk>/undo/", views.undo, name="undo"),
    path("<int:pk>/rejected.csv", views.rejected, name="rejected"),
]
