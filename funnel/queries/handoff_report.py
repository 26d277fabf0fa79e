"""The report of the hand-off: who completes the chain, where it breaks, and what complete chains go with (R49, R52, R55).

Counted by one statement each. No causal effect is claimed: doctor and service are held equal, the patients are not.
"""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from core.sql import MACROS, date_literal, fetch
from funnel.models import BreakReason, FirstStep, HandoffStep
from funnel.rules.handoff import Cell, Comparison, compared
from staff.access import Actor
from staff.models import Doctor, User

AGAIN_WITHIN = 90  # days, R52
UNSETTLED = "s.acknowledged_at IS NULL AND s.drop_reason <> 'not_needed'"
BROKEN = f"EXISTS (SELECT 1 FROM funnel_handoffstep s WHERE s.relay_id = r.id AND {UNSETTLED})"
# Completed visits of the window, test people out; `person` is the canonical record.
VISITS = """(SELECT v.id, v.doctor_id, v.branch_id, v.start_at, v.day, v.next_visit_id,
        COALESCE(p.canonical_id, p.id) AS person
    FROM patients_visit v JOIN patients_patient p ON p.id = v.patient_id
    WHERE v.status = 'completed' AND v.day BETWEEN {first} AND {last} {branch} AND NOT p.is_test AND NOT EXISTS (
        SELECT 1 FROM patients_patient t WHERE t.is_test AND t.id = p.canonical_id) AND NOT EXISTS (
        SELECT 1 FROM patients_patient t WHERE t.is_test AND t.canonical_id = COALESCE(p.canonical_id, p.id)))"""
CHAINED = (
    "JOIN funnel_relay r ON r.visit_id = v.id AND EXISTS (SELECT 1 FROM funnel_handoffstep s WHERE s.relay_id = r.id)"
)
# Another completed visit of the person, under whichever of his records.
OTHER = """EXISTS (SELECT 1 FROM patients_visit n WHERE n.patient_id = v.person AND n.status = 'completed' AND {when})
    OR EXISTS (SELECT 1 FROM patients_patient g JOIN patients_visit n ON n.patient_id = g.id
        WHERE g.canonical_id = v.person AND n.status = 'completed' AND {when})"""
AGAIN = OTHER.format(when="n.start_at > v.start_at AND {day:n.day} BETWEEN {day:v.day} + 1 AND {day:v.day} + {within}")
BEFORE = OTHER.format(when="n.start_at < v.start_at")
MAIN_SERVICE = """COALESCE((SELECT i.service_id FROM patients_visititem i WHERE i.visit_id = v.id
    ORDER BY i.amount DESC, i.service_id LIMIT 1), 0)"""
BREAKS = """SELECT doctor, administrator, kind, reason, COUNT(*) AS n FROM (
    SELECT v.doctor_id AS doctor, r.opened_by_id AS administrator, r.break_reason AS reason,
        (SELECT s.kind FROM funnel_handoffstep s WHERE s.relay_id = r.id AND {unsettled}
            ORDER BY s.position LIMIT 1) AS kind
    FROM {visits} v {chained}) t GROUP BY doctor, administrator, kind, reason"""
CELLS = """SELECT what, doctor, service, arm, COUNT(*) AS n, CAST(SUM(hit) AS BIGINT) AS hits FROM (
    SELECT {what} AS what, v.doctor_id AS doctor, {service} AS service, CASE WHEN {arm} THEN 1 ELSE 0 END AS arm,
        CASE WHEN {hit} THEN 1 ELSE 0 END AS hit
    FROM {visits} v {joined}) t GROUP BY what, doctor, service, arm"""


@dataclass(frozen=True)
class Window:
    """Days of visits, inclusive."""

    first: date
    last: date


def windows(today: date, days: int) -> tuple[Window, Window]:
    """The last `days` up to yesterday; and as many that ended 90 days before it (who was to come again has come)."""
    yesterday = today - timedelta(days=1)
    ripe = yesterday - timedelta(days=AGAIN_WITHIN)
    back = timedelta(days=days - 1)
    return Window(yesterday - back, yesterday), Window(ripe - back, ripe)


@dataclass
class Line:
    """Relays of one doctor or administrator. `breaks`: label of the step → how many chains broke there first."""

    name: str
    n: int = 0
    complete: int = 0
    breaks: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        return self.complete / self.n

    @property
    def worst(self) -> str:
        return self.breaks.most_common(1)[0][0] if self.breaks else ""


@dataclass(frozen=True)
class Breaks:
    n: int
    complete: int
    doctors: list[Line]
    administrators: list[Line]
    steps: list[tuple[str, int]]
    reasons: list[tuple[str, int]]  # of broken chains; the empty reason is "not explained"

    @property
    def share(self) -> float | None:
        return self.complete / self.n if self.n else None


def _values(by: Actor, window: Window) -> dict[str, Any]:
    branch = "" if by.branch_id is None else f"AND v.branch_id = {int(by.branch_id)}"
    span = {"first": date_literal(window.first), "last": date_literal(window.last)}
    return {"visits": VISITS.format(branch=branch, **span), "chained": CHAINED, "unsettled": UNSETTLED}


def breaks(by: Actor, window: Window) -> Breaks:
    """Three queries: the counts, and the names."""
    rows = fetch(BREAKS.format(**_values(by, window)))
    doctors = dict(Doctor.objects.filter(pk__in={row["doctor"] for row in rows}).values_list("pk", "name"))
    people = dict(User.objects.filter(pk__in={row["administrator"] for row in rows}).values_list("pk", "full_name"))
    steps, reasons = Counter[str](), Counter[str]()
    for row in rows:
        if row["kind"]:
            steps[row["kind"]] += row["n"]
            reasons[row["reason"]] += row["n"]
    return Breaks(
        n=sum(row["n"] for row in rows),
        complete=sum(row["n"] for row in rows if not row["kind"]),
        doctors=_lines(rows, "doctor", doctors),
        administrators=_lines(rows, "administrator", people),
        steps=[(_step(kind), n) for kind, n in steps.most_common()],
        reasons=[(str(BreakReason(reason).label) if reason else "", n) for reason, n in reasons.most_common()],
    )


def _step(kind: str) -> str:
    return str(HandoffStep.Kind(kind).label)


def _lines(rows: Iterable[dict[str, Any]], key: str, names: dict[int, str]) -> list[Line]:
    lines: dict[int | None, Line] = {}
    for row in rows:
        line = lines.setdefault(row[key], Line(names.get(row[key], "")))
        line.n += row["n"]
        if row["kind"]:
            line.breaks[_step(row["kind"])] += row["n"]
        else:
            line.complete += row["n"]
    return sorted(lines.values(), key=lambda line: (line.share, line.name))


def booked_next(by: Actor, window: Window) -> Comparison:
    """The next booking made at the visit: complete chains against broken ones, within doctor and main service."""
    return _relays(by, window, arm=f"NOT {BROKEN}", hit="v.next_visit_id IS NOT NULL")


def came_again(by: Actor, ripe: Window) -> Comparison:
    """Came again within 90 days: complete chains against broken ones, within doctor and main service."""
    return _relays(by, ripe, arm=f"NOT {BROKEN}", hit=_again())


def came_after_presentation(by: Actor, ripe: Window) -> Comparison:
    """Came again within 90 days: the clinic was presented or was not (R55), within doctor and main service."""
    return _relays(by, ripe, arm="r.presented", hit=_again(), more="AND r.presented IS NOT NULL")


def _again() -> str:
    return AGAIN.format(within=AGAIN_WITHIN, **MACROS)


def _relays(by: Actor, window: Window, *, arm: str, hit: str, more: str = "") -> Comparison:
    values = _values(by, window) | {"what": "0", "service": MAIN_SERVICE, "arm": arm, "hit": hit}
    return compared(_cells(fetch(CELLS.format(joined=f"{CHAINED} {more}", **values))))


def _cells(rows: Sequence[dict[str, Any]]) -> list[Cell]:
    return [Cell((row["doctor"], row["service"]), bool(row["arm"]), row["n"], int(row["hits"])) for row in rows]


@dataclass(frozen=True)
class Effect:
    step: FirstStep
    comparison: Comparison


def first_step_effects(by: Actor, ripe: Window) -> list[Effect]:
    """Of every line of the catalogue: second visit within 90 days of the first, with it and without, within a doctor.

    First visits from the first tick ever made on: before it nobody could tick.
    """
    marked = "SELECT MIN(w.day) FROM funnel_firststepmark m JOIN patients_visit w ON w.id = m.visit_id"
    joined = f"CROSS JOIN funnel_firststep f WHERE v.day >= ({marked}) AND NOT ({BEFORE})"
    done = "EXISTS (SELECT 1 FROM funnel_firststepmark m WHERE m.visit_id = v.id AND m.step_id = f.id)"
    values = _values(by, ripe) | {"what": "f.id", "service": "0", "arm": done, "hit": _again()}
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in fetch(CELLS.format(joined=joined, **values)):
        found[row["what"]].append(row)
    return [Effect(step, compared(_cells(found[step.pk]))) for step in FirstStep.objects.order_by("pk")]
