"""`/api/v1/`: the doors for other systems, assembled from every room's `api.py`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
