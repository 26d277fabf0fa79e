"""Every door of the house. Each view names its deed; a test walks this list."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from messaging.views.health import healthz, readyz
from messaging.views.hooks import delivery_report
from staff.access import public

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/hooks/messages/<slug:transport>/", delivery_report, name="delivery-report"),
    path("language/", public(set_language), name="set_language"),
    path("", include("staff.urls")),
    path("", include("reception.urls")),
    path("", include("analytics.urls")),
    path("", include("funnel.urls")),
    path("messages/", include("messaging.urls")),
    path("imports/", include("mis.urls")),
    *([path("demo/", include("demo.urls"))] if settings.DEMO else []),
    path("api/v1/", include("clinic_crm.api_urls")),
]

handler400 = "staff.api.problems.bad_request"
handler403 = "staff.api.problems.permission_denied"
handler404 = "staff.api.problems.page_not_found"
handler500 = "staff.api.problems.server_error"
