"""The tiles of the dashboard: what each shows, which way is better, and where its rows are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.metrics import REGISTRY
from analytics.queries.board import REPEAT_DAYS, Board
from analytics.queries.lens import Lens
from analytics.views.figures import Change, change_of, spark_of, value_of, written
from analytics.views.links import rows_url
from analytics.views.words import STATUS_SHORT, Text, word
from core.charts import Spark


@dataclass(frozen=True)
class Kind:
    """A tile as declared: `figure` is its name in the board, `slug` its metric, `good` the better way."""

    figure: str
    label: Text
    kind: str
    good: str
    slug: str
    year: bool = False
    standing: bool = False
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Tile:
    """Inputs of components/tile.html."""

    id: str
    label: str
    value: str
    url: str
    formula: str
    change: Change
    good: str
    against: str
    spark: Spark | None
    alarm: str
    note: str


MONEY = (
    Kind("revenue", gettext_lazy("Revenue"), "money", "up", "average_check", where=(("kind", "payment"),)),
    Kind("visits", gettext_lazy("Visits"), "count", "up", "average_check", where=(("kind", "visit"),)),
    Kind("average_check", gettext_lazy("Average check"), "money", "up", "average_check", where=(("kind", "visit"),)),
    Kind("ltv_margin", gettext_lazy("LTV by margin"), "money", "up", "ltv_historical", standing=True),
)
RETURN = (
    Kind("repeat_primary", gettext_lazy("Came again: primary"), "percent", "up", "repeat_rate"),
    Kind("repeat_existing", gettext_lazy("Came again: existing"), "percent", "up", "repeat_rate"),
    Kind("rebooking", gettext_lazy("Left with the next booking"), "percent", "up", "rebooking"),
    Kind("no_show", gettext_lazy("No-show"), "percent", "down", "no_show"),
)
BASE = (
    Kind("active", gettext_lazy("Active patients"), "count", "up", "churn_year", year=True, standing=True),
    Kind("churn", gettext_lazy("Churn against inflow"), "percent", "down", "churn_year", year=True),
    Kind("new", gettext_lazy("New patients"), "count", "up", "cac", where=(("kind", "patient"),)),
    Kind("cac", gettext_lazy("Cost of a new patient"), "money", "down", "cac"),
)


def groups(board: Board, lens: Lens) -> list[dict[str, Any]]:
    """The tiles under their three headings."""
    named = ((_("Money"), MONEY), (_("Coming back"), RETURN), (_("The base"), BASE))
    return [{"title": title, "tiles": [_tile(kind, board, lens) for kind in kinds]} for title, kinds in named]


def _tile(kind: Kind, board: Board, lens: Lens) -> Tile:
    now, before = board.now[kind.figure], board.before[kind.figure]
    change = change_of(now, before, kind.kind)
    return Tile(
        id=f"tile-{kind.figure}",
        label=str(kind.label),
        value=written(kind.kind, lens.currency)(value_of(now)),
        url=_url(kind, lens),
        formula=_formula(kind, lens),
        change=change,
        good=kind.good,
        against=_against(kind, lens) if change.text else "",
        spark=None if kind.figure == "churn" else spark_of([month[kind.figure] for month in board.months]),
        alarm=_alarm(kind, board),
        note=_note(kind, board, lens),
    )


def _url(kind: Kind, lens: Lens) -> str:
    params: dict[str, Any] = dict(kind.where)
    if kind.year:
        column = {"active": "active_at_end", "churn": "lost"}[kind.figure]
        params |= {"kind": "patient", "year": lens.scope.as_of.year, column: 1}
        return rows_url(kind.slug, lens, **params)
    if kind.slug == "repeat_rate":
        params |= {"days": REPEAT_DAYS, "kind": kind.figure.removeprefix("repeat_")}
    return rows_url(kind.slug, lens, None if kind.standing else lens.period, **params)


def _formula(kind: Kind, lens: Lens) -> str:
    """In words, from the registry; with the rule of loss beside every figure that uses it."""
    text = str(REGISTRY[kind.slug].formula)
    return f"{text} {theta_rule(lens)}" if kind.year else text


def theta_rule(lens: Lens) -> str:
    """The rule of loss, printed beside every figure that uses it."""
    days = lens.scope.theta
    return ngettext("Lost: %(days)s day without a visit.", "Lost: %(days)s days without a visit.", days) % {
        "days": days
    }


def _against(kind: Kind, lens: Lens) -> str:
    if kind.figure == "churn":
        return _("to the same day last year")
    return _("to the year before") if lens.against == "year" else _("to the period before")


def _alarm(kind: Kind, board: Board) -> str:
    status = board.now["churn_status"]
    return word(STATUS_SHORT, status) if kind.figure == "churn" and status == "trouble" else ""


def _note(kind: Kind, board: Board, lens: Lens) -> str:
    """What must be said beside the figure so that it is not misread."""
    note = NOTES.get(kind.figure)
    return note(board, lens) if note else ""


def _ltv_note(board: Board, lens: Lens) -> str:
    return _("by revenue %(money)s") % {"money": written("money", lens.currency)(board.now["ltv_revenue"])}


def _churn_note(board: Board, lens: Lens) -> str:
    inflow = written("percent")(value_of(board.now["inflow"]))
    return _("inflow %(share)s since 1 January") % {"share": inflow}


def _repeat_note(figure: str) -> Any:
    def note(board: Board, lens: Lens) -> str:
        young = board.now[figure]["immature"]
        text = _("in %(days)s days") % {"days": REPEAT_DAYS}
        return text + (" · " + _("%(count)s too young to count") % {"count": young} if young else "")

    return note


def _covered_note(board: Board, lens: Lens) -> str:
    return _("with earlier bookings %(share)s") % {"share": written("percent")(value_of(board.now["covered"]))}


def _cac_note(board: Board, lens: Lens) -> str:
    return _("spend %(money)s, all sources") % {"money": written("money", lens.currency)(board.now["spend"])}


NOTES = {
    "ltv_margin": _ltv_note,
    "churn": _churn_note,
    "repeat_primary": _repeat_note("repeat_primary"),
    "repeat_existing": _repeat_note("repeat_existing"),
    "rebooking": _covered_note,
    "cac": _cac_note,
}


def standing_tile(slug: str, label: str, value: str, lens: Lens, note: str = "", **params: Any) -> Tile:
    """A tile without a comparison: the figure as it stands, its formula and its rows."""
    return Tile(
        id=f"tile-{slug}-{sum(map(ord, label))}",
        label=label,
        value=value,
        url=rows_url(slug, lens, **params),
        formula=str(REGISTRY[slug].formula),
        change=Change(),
        good="",
        against="",
        spark=None,
        alarm="",
        note=note,
    )
