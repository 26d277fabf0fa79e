"""Every door of the house. Each view names its deed; a test walks this list."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("staff.urls")),
    path("", include("reception.urls")),
    path("", include("analytics.urls")),
    path("", include("funnel.urls")),
    path("messages/", include("messaging.urls")),
    path("imports/", include("mis.urls")),
    *([path("demo/", include("demo.urls"))] if settings.DEMO else []),
    path("api/v1/", include("clinic_crm.api_urls")),
]
