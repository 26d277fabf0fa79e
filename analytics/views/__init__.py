"""Pages of figures."""

from analytics.views.count import how_we_count
from analytics.views.dashboard import dashboard
from analytics.views.retention import retention
from analytics.views.rows import rows, rows_export
from analytics.views.tables import export
from analytics.views.value import top, value

__all__ = ["dashboard", "export", "how_we_count", "retention", "rows", "rows_export", "top", "value"]
