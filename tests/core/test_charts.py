"""Charts: exact geometry, and no surprise from empty, lonely, equal, negative or missing values."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core import charts
from core.charts import Series, scale


def test_round_ticks_cover_the_values_with_at_most_five_steps() -> None:
    assert scale.nice_range(0, 415) == [0, 100, 200, 300, 400, 500]
    assert scale.nice_range(0, 10) == [0, 2, 4, 6, 8, 10]
    assert scale.nice_range(-14, 24) == [-20, -10, 0, 10, 20, 30]
    assert scale.nice_range(0, 0.481) == [0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_range_without_spread_still_has_two_ticks() -> None:
    assert scale.nice_range(0, 0)[0] == 0
    assert scale.nice_range(0, 0)[-1] == 1
    assert scale.nice_range(40, 40) == [20, 30, 40, 50, 60]


def test_values_land_between_the_top_and_the_labels() -> None:
    grid = scale.Scale([0, 50, 100], 240)
    assert grid.y(100) == 12
    assert grid.y(0) == 212
    assert grid.y(Decimal("25")) == 162


def test_labels_thin_from_the_end_so_the_latest_always_stands() -> None:
    labels = scale.labels_of([str(month) for month in range(12)])
    assert all(label.wide for label in labels)
    assert [label.text for label in labels if label.middle] == ["1", "3", "5", "7", "9", "11"]
    assert [label.text for label in labels if label.narrow] == ["2", "5", "8", "11"]
    assert scale.labels_of([]) == []


def test_a_line_runs_through_the_middles_of_its_bands() -> None:
    chart = charts.line_chart(["a", "b"], [Series("s", [0, 10])])
    assert chart.lines[0].path == "M25 212 L75 12"
    assert [(dot.x, dot.y, dot.hollow) for dot in chart.lines[0].dots] == [(75, 12, False)]
    assert chart.hits[1].x == 50
    assert chart.hits[1].tip == "b\ns: 10"


def test_a_missing_value_breaks_the_line_and_a_lonely_one_becomes_a_dot() -> None:
    chart = charts.line_chart(["a", "b", "c", "d"], [Series("s", [10, None, 5, 10])])
    assert chart.lines[0].path == "M62.5 112 L87.5 12"
    assert [dot.x for dot in chart.lines[0].dots] == [12.5, 87.5]
    assert chart.table.rows[1] == ["b", "—"]


def test_immature_values_are_dashed_hollow_and_marked_in_words() -> None:
    chart = charts.line_chart(["a", "b", "c"], [Series("s", [10, 10, 5], frozenset({2}))], immature="young")
    line = chart.lines[0]
    assert line.path == "M16.67 12 L50 12"
    assert line.dashed == "M50 12 L83.33 112"
    assert [dot.hollow for dot in line.dots] == [True, False]
    assert chart.has_immature
    assert chart.table.rows[2] == ["c", "5 (young)"]


def test_a_band_is_a_closed_shape_and_widens_the_scale() -> None:
    chart = charts.line_chart(["a", "b"], [Series("s", [5, 5])], band=charts.Band("range", [2, 4], [8, 10]))
    assert chart.band == "M25 52 L75 12 L75 132 L25 172 Z"
    assert chart.table.head == ["", "s", "range, ↓", "range, ↑"]


@pytest.mark.parametrize("values", [[], [None, None]])
def test_a_chart_without_a_known_value_says_that_it_is_empty(values: list[None]) -> None:
    texts = [str(index) for index in range(len(values))]
    assert charts.line_chart(texts, [Series("s", values)]).empty
    assert charts.bar_chart(texts, [Series("s", values)]).empty
    assert charts.stacked_chart(texts, [Series("s", values)]).bars == []


def test_a_series_of_another_length_than_the_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="1 values for 2 labels"):
        charts.bar_chart(["a", "b"], [Series("s", [1])])


def test_one_point_and_equal_points_are_drawn() -> None:
    assert charts.line_chart(["a"], [Series("s", [7])]).lines[0].dots[0].x == 50
    flat = charts.line_chart(["a", "b"], [Series("s", [7, 7])])
    assert flat.lines[0].path == "M25 37 L75 37"


def test_bars_stand_side_by_side_round_the_middle_of_their_band() -> None:
    chart = charts.bar_chart(["a", "b"], [Series("one", [10, 5]), Series("two", [5, 10])])
    first, second = chart.bars[:2]
    assert (first.x, first.width, first.y, first.height) == (17, 7.36, 12, 200)
    assert (second.x, second.y, second.height) == (25, 112, 100)


def test_negative_bars_hang_from_zero() -> None:
    chart = charts.bar_chart(["a", "b"], [Series("net", [10, -10])])
    up, down = chart.bars
    assert up.y + up.height == down.y == 112
    assert [tick.zero for tick in chart.ticks] == [False, False, True, False, False]


def test_stacked_parts_stand_on_one_another_and_losses_grow_down() -> None:
    chart = charts.stacked_chart(["a"], [Series("one", [60]), Series("two", [40]), Series("three", [-100])])
    one, two, three = chart.bars
    assert (one.y, one.height) == (52, 60)
    assert (two.y, two.height) == (12, 40)
    assert (three.y, three.height) == (112, 100)


def test_a_sparkline_uses_its_whole_height_and_ends_in_a_dot() -> None:
    spark = charts.sparkline([0, 5, 10], width=100, height=26)
    assert spark.path == "M3 23 L50 13 L97 3"
    assert spark.area == "M3 23 L50 13 L97 3 L97 26 L3 26 Z"
    assert (spark.x, spark.y) == (97, 3)


def test_a_sparkline_of_equal_one_or_no_values() -> None:
    assert charts.sparkline([4, 4], width=100, height=26).path == "M3 13 L97 13"
    lonely = charts.sparkline([None, 4], width=100, height=26)
    assert (lonely.path, lonely.x, lonely.y) == ("", 97, 13)
    assert charts.sparkline([]).x is None


def test_the_bridge_adds_up_and_its_bars_meet() -> None:
    steps = [charts.Step("new", 30), charts.Step("lost", -50)]
    chart = charts.bridge_chart(charts.Step("start", 100), steps, "end", height=240)
    assert chart.end == 80
    start, new, lost, end = (pier.bar for pier in chart.piers)
    assert new.y + new.height == start.y
    assert lost.y == new.y
    assert lost.y + lost.height == end.y
    assert [pier.kind for pier in chart.piers] == ["total", "up", "down", "total"]
    assert [link.y for link in chart.links] == [start.y, new.y, end.y]
    assert chart.table.rows[-1] == ["end", "80"]


def test_a_bridge_from_nothing_to_nothing_is_empty() -> None:
    assert charts.bridge_chart(charts.Step("start", 0), [], "end").empty


def test_the_heat_map_shades_in_nine_steps_and_leaves_young_cohorts_short() -> None:
    rows = [charts.HeatRow("jan", "10", [100, 50, 0]), charts.HeatRow("feb", "8", [90, None], frozenset({0}))]
    chart = charts.heat_map(["0", "1", "2"], rows, immature="young")
    assert [cell.step for cell in chart.rows[0].cells] == [8, 4, 0]
    assert [cell.step for cell in chart.rows[1].cells] == [8, None, None]
    assert chart.rows[1].cells[0].tip == "feb · 0: 90 (young)"
    assert (chart.low, chart.high) == ("0", "100")


def test_a_heat_map_without_spread_or_values() -> None:
    assert charts.heat_map(["0"], [charts.HeatRow("jan", "1", [0])]).rows[0].cells[0].step == 0
    assert charts.heat_map(["0"], []).empty
    assert charts.heat_map(["0"], [charts.HeatRow("jan", "1", [50])], top=100).rows[0].cells[0].step == 4


def test_the_funnel_counts_steps_losses_and_shares() -> None:
    stages = [
        charts.StageInput("leads", 200),
        charts.StageInput("booked", 120, reason="price"),
        charts.StageInput("came", 150),
    ]
    first, booked, came = charts.funnel_chart(stages).stages
    assert (first.width, first.before, first.step, first.lost) == (100, 0, "", "")
    assert (booked.width, booked.before, booked.step, booked.lost) == (60, 100, "0.6", "80")
    assert (came.step, came.total, came.lost) == ("1.25", "0.75", "")


def test_a_funnel_from_zero_divides_by_nothing() -> None:
    chart = charts.funnel_chart([charts.StageInput("leads", 0), charts.StageInput("booked", None)])
    assert chart.empty
    assert chart.stages[1].step == "—"


def test_a_ranking_holds_losses_and_intervals_on_one_scale() -> None:
    rows = [charts.RowInput("a", 60, 40, 100), charts.RowInput("b", -100, immature=True)]
    chart = charts.ranking_chart(rows, immature="young")
    a, b = chart.rows
    assert chart.zero == 50
    assert (a.x, a.width, a.low, a.high) == (50, 30, 70, 100)
    assert (b.x, b.width, b.low, b.negative) == (0, 50, None, True)
    assert chart.table.rows == [["a", "60", "40 … 100"], ["b", "-100 (young)", "—"]]


def test_a_ranking_without_values_is_empty() -> None:
    assert charts.ranking_chart([charts.RowInput("a", None)]).empty
    assert charts.ranking_chart([charts.RowInput("a", 0)]).rows[0].width == 0
