from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from funnel import views

app_name = "funnel"
urlpatterns: list[URLPattern | URLResolver] = [
    path("spend/", views.spend, name="spend"),
    path("spend/<int:pk>/take-back/", views.take_back, name="take_back"),
    path("spend/tables/<slug:table>.<slug:fmt>", views.export, name="export"),
]
