"""Pages of figures."""

from analytics.views.conversion import funnel
from analytics.views.count import how_we_count
from analytics.views.dashboard import dashboard
from analytics.views.load import load
from analytics.views.retention import retention
from analytics.views.rows import rows, rows_export
from analytics.views.sources import channels
from analytics.views.tables import export
from analytics.views.value import top, value
from analytics.views.whatif import what_if

__all__ = [
    "channels",
    "dashboard",
    "export",
    "funnel",
    "how_we_count",
    "load",
    "retention",
    "rows",
    "rows_export",
    "top",
    "value",
    "what_if",
]
