"""Any table of a page of figures as a file: the page's panels are made again and one is taken."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponseBase

from analytics.views.conversion import panels_of as funnel_panels
from analytics.views.dashboard import panels_of as dashboard_panels
from analytics.views.export import sheet_response
from analytics.views.load import panels_of as load_panels
from analytics.views.retention import panels_of as retention_panels
from analytics.views.sources import panels_of as channel_panels
from analytics.views.value import panels_of as value_panels
from staff.access import needs

PAGES = {
    "dashboard": dashboard_panels,
    "value": value_panels,
    "retention": retention_panels,
    "funnel": funnel_panels,
    "channels": channel_panels,
    "load": load_panels,
}


@needs("export_data")
def export(request: HttpRequest, page: str, table: str, fmt: str) -> HttpResponseBase:
    """`table`: slug of a panel. 404 for a page, table or format that does not exist."""
    if page not in PAGES:
        raise Http404
    panel = next((panel for panel in PAGES[page](request) if panel.slug == table), None)
    if panel is None:
        raise Http404
    return sheet_response(request, panel.sheet, fmt)
