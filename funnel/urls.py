from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from funnel.views import spend

app_name = "funnel"
urlpatterns: list[URLPattern | URLResolver] = [
    path("spend/", spend.spend, name="spend"),
    path("spend/<int:pk>/take-back/", spend.take_back, name="take_back"),
    path("spend/tables/<slug:table>.<slug:fmt>", spend.export, name="export"),
]
