"""Charts as pure functions: numbers in, geometry out; ``templates/components/charts/`` draws it.

Coordinates are made for fluid SVG: everything across is a percentage of the plot's width (0 to 100),
everything down is in pixels. So text keeps its size on a phone, and nothing needs a script.
Missing values (None) leave gaps; immature values are marked and drawn hatched or hollow.
"""

from core.charts.bars import Bar, BarChart, bar_chart, stacked_chart
from core.charts.bridge import Bridge, Step, bridge_chart
from core.charts.funnel import Funnel, Stage, StageInput, funnel_chart
from core.charts.heat import Heat, HeatRow, heat_map
from core.charts.line import Band, LineChart, line_chart
from core.charts.ranking import Ranking, Row, RowInput, ranking_chart
from core.charts.scale import Number, Series, Table
from core.charts.spark import Spark, sparkline

__all__ = [
    "Band",
    "Bar",
    "BarChart",
    "Bridge",
    "Funnel",
    "Heat",
    "HeatRow",
    "LineChart",
    "Number",
    "Ranking",
    "Row",
    "RowInput",
    "Series",
    "Spark",
    "Stage",
    "StageInput",
    "Step",
    "Table",
    "bar_chart",
    "bridge_chart",
    "funnel_chart",
    "heat_map",
    "line_chart",
    "ranking_chart",
    "sparkline",
    "stacked_chart",
]
