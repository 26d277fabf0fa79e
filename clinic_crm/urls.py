"""Every door of the house. Each view names its deed; a test walks this list."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from funnel.views.call_hooks import generic_hook, mango_hook, uis_hook
from funnel.views.lead_hook import lead_hook
from funnel.views.public import form_page, widget
from messaging.views.clicks import follow_link
from messaging.views.health import healthz, readyz
from messaging.views.hooks import delivery_report, reply
from messaging.views.metrics import Scrape
from messaging.views.telegram_hook import telegram
from messaging.views.unsubscribe import unsubscribe
from staff.access import public

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", Scrape.as_view(), name="scrape"),
    path("api/v1/hooks/messages/<slug:transport>/", delivery_report, name="delivery-report"),
    path("api/v1/hooks/replies/<slug:transport>/", reply, name="reply-hook"),
    path("api/v1/hooks/leads/<slug:source>/", lead_hook, name="lead-hook"),
    path("api/v1/hooks/calls/<slug:source>/", generic_hook, name="call-hook"),
    path("api/v1/hooks/calls/<slug:source>/events/<path:kind>", mango_hook, name="call-hook-mango"),
    path("api/v1/hooks/calls/<slug:source>/uis/<str:secret>/", uis_hook, name="call-hook-uis"),
    path("f/<slug:code>/", form_page, name="lead-form"),
    path("w/<slug:code>/", widget, name="lead-widget"),
    path("api/v1/hooks/telegram/", telegram, name="telegram-hook"),
    path("u/<str:code>/", unsubscribe, name="unsubscribe"),
    path("l/<str:code>/", follow_link, name="follow-link"),
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
