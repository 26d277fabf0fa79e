"""What the pages of the funnel show: leads and their stages, sources and what they return, load of doctors."""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum

from analytics.metrics.payoff import ltv_cac, payback, romi
from analytics.queries.lens import Lens
from core.sql import Macro, epoch_of
from funnel import metrics as f
from funnel.models import Traffic
from patients.metrics import Facts, Period, Scope
from patients.metrics.facts import days, share
from patients.queries.slots import busy_spans
from patients.rules.slots import gaps
from staff.models import Shift

AHEAD = timedelta(days=28)
MONTHS = 12
# The stages of leads whose 45 days have passed: one set of leads, so that the steps are parts of each other.
NESTED = f"""SELECT COUNT(*) AS leads, {share("did_book = 1")} AS booked, {share("did_come = 1")} AS arrived,
    {share("did_pay = 1")} AS paid FROM fact WHERE passed_45 = 1"""
# Money of the period's visits: of patients who were there before it, and of all; and how long a visit lasts.
BASE = """
    SELECT v.id, v.person AS patient_id, COALESCE(n.net, 0) AS net, v.cost, {epoch:w.end_at} - {epoch:w.start_at} AS seconds,
        CASE WHEN l.d0 < {first} THEN 1 ELSE 0 END AS known
    FROM visited v JOIN patients_visit w ON w.id = v.id JOIN life l ON l.person = v.person LEFT JOIN net n ON n.id = v.id
    WHERE v.day BETWEEN {first} AND {last}"""
SHARES = """SELECT known, COUNT(*) AS visits, CAST(SUM(net) AS BIGINT) AS net, CAST(SUM(cost) AS BIGINT) AS cost,
    CAST(SUM(seconds) AS BIGINT) AS seconds FROM fact GROUP BY known"""


@dataclass(frozen=True)
class Conversion:
    """M20 to M22 and M31 of one period; `nested`: leads, booked, arrived, paid of the same leads."""

    traffic: dict[str, int]
    nested: dict[str, int]
    cohort: dict[str, Any]
    by_channel: dict[str, Any]
    flow: dict[str, Any]
    losses: dict[str, Any]
    bands: dict[str, Any]
    sla: dict[str, Any]


def conversion(lens: Lens, audience: str) -> Conversion:
    scope, period = lens.scope, lens.period
    (row,) = f.funnel_cohort_facts(scope, period, audience).ask(NESTED)
    return Conversion(
        traffic=traffic(scope, period),
        nested={name: int(value or 0) for name, value in row.items()},
        cohort=f.funnel_cohort(scope, period, audience),
        by_channel=f.funnel_cohort(scope, period, audience, "channel"),
        flow=f.funnel_snapshot(scope, period, audience),
        losses=f.losses(scope, period),
        bands=f.response_bands(scope, period),
        sla=f.response_sla(scope, period),
    )


def traffic(scope: Scope, period: Period) -> dict[str, int]:
    """{reach, clicks}: what advertising reported for the days of the period."""
    rows = Traffic.objects.filter(date__range=(period.first, min(period.last, scope.as_of)))
    if scope.channels is not None:
        rows = rows.filter(channel__in=[channel for channel in scope.channels if channel is not None])
    sums = rows.aggregate(reach=Sum("reach"), clicks=Sum("clicks"))
    return {name: int(value or 0) for name, value in sums.items()}


@dataclass(frozen=True)
class Sources:
    """M09 to M12 and M32 by channel code, `unknown` and `all`."""

    cac: dict[str, Any]
    cost: dict[str, Any]
    ltv_cac: dict[str, Any]
    romi: dict[str, Any]
    payback: dict[str, Any]


def sources(lens: Lens) -> Sources:
    scope, period = lens.scope, lens.period
    return Sources(
        cac=f.cac(scope, period),
        cost=f.cost_per(scope, period),
        ltv_cac=ltv_cac(scope, period, MONTHS),
        romi=romi(scope, period, None),
        payback=payback(scope, period),
    )


@dataclass(frozen=True)
class Income:
    """Minor units of the visits of a period: `net` and `cost` of patients known before it, and of all; their length."""

    base_net: int
    base_cost: int
    net: int
    cost: int
    visits: int
    seconds: int

    @property
    def base_margin(self) -> int:
        return self.base_net - self.base_cost


def income(scope: Scope, period: Period) -> Income:
    values = days(period) | {"epoch": Macro(epoch_of)}
    rows = {row["known"]: row for row in Facts(scope, BASE, ("id",), values=values).ask(SHARES)}
    none = {"visits": 0, "net": 0, "cost": 0, "seconds": 0}
    known, fresh = rows.get(1, none), rows.get(0, none)
    return Income(
        base_net=int(known["net"]),
        base_cost=int(known["cost"]),
        net=int(known["net"] + fresh["net"]),
        cost=int(known["cost"] + fresh["cost"]),
        visits=known["visits"] + fresh["visits"],
        seconds=int(known["seconds"] + fresh["seconds"]),
    )


@dataclass(frozen=True)
class Idle:
    """Seconds of a doctor's shifts in the weeks ahead: all of them, and those that nobody has booked, week by week."""

    doctor_id: int
    shift: int
    free: int
    weeks: tuple[int, ...]


def idle_ahead(scope: Scope, now: datetime) -> list[Idle]:
    """Unbooked time of the next four weeks, most first. Shifts of a doctor that overlap count once."""
    end = now + AHEAD
    shifts = Shift.objects.filter(start_at__lt=end, end_at__gt=now).order_by("doctor_id", "start_at")
    if scope.branch:
        shifts = shifts.filter(branch__in=scope.branch) | shifts.filter(branch=None)
    if scope.doctor:
        shifts = shifts.filter(doctor__in=scope.doctor)
    spans: dict[int, list[tuple[datetime, datetime]]] = {}
    for doctor, start, stop in shifts.values_list("doctor_id", "start_at", "end_at"):
        _lay(spans.setdefault(doctor, []), max(start, now), min(stop, end))
    busy = busy_spans(spans, now, end)
    found = [_idle(doctor, mine, busy.get(doctor, []), now) for doctor, mine in spans.items()]
    return sorted(found, key=lambda one: (-one.free, one.doctor_id))


def _lay(spans: list[tuple[datetime, datetime]], start: datetime, stop: datetime) -> None:
    """One more span, in order of start; what overlaps the last one widens it."""
    if spans and start <= spans[-1][1]:
        spans[-1] = (spans[-1][0], max(spans[-1][1], stop))
    else:
        spans.append((start, stop))


def _idle(doctor: int, shifts: list[tuple[datetime, datetime]], busy: Any, now: datetime) -> Idle:
    weeks = [0] * (AHEAD.days // 7)
    for shift in shifts:
        for start, stop in gaps(shift, busy):
            weeks[min((start - now).days // 7, len(weeks) - 1)] += int((stop - start).total_seconds())
    whole = sum(int((stop - start).total_seconds()) for start, stop in shifts)
    return Idle(doctor, whole, sum(weeks), tuple(weeks))
