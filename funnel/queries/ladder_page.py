"""What the pages of the ladder show: one speciality's steps, ways and money; a patient's place and next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from funnel.models import Indication
from funnel.queries.ladder import (
    income,
    positions,
    proposable,
    rules_of_ladder,
    standing,
    touches,
    transitions,
)
from funnel.rules.ladder import LADDER, Step, nearest_rank, usual_days
from patients.metrics import Period, Scope
from patients.models import Channel, Patient, Service, Touchpoint
from patients.queries import visible_patients
from staff.access import Actor


@dataclass(frozen=True)
class Ladder:
    """One speciality. `ways`: {tier: steps taken from it}; `usual`: {tier: days}; `people`, `stuck`: {tier: number};
    `young`: people-steps whose window still runs; `money`: {tier: (items, charged, cost)} of the period, minor units."""

    speciality: str
    ways: Mapping[str, Sequence[Step]]
    young: int
    usual: Mapping[str, int]
    people: Mapping[str, int]
    stuck: Mapping[str, int]
    money: Mapping[str, tuple[int, int, int]]


def specialities() -> list[str]:
    return list(Service.objects.order_by("speciality").values_list("speciality", flat=True).distinct())


def usual_of(ways: Mapping[str, Sequence[Step]]) -> dict[str, int]:
    setting = rules_of_ladder().usual_days
    return {tier: usual_days(ways.get(tier, ()), setting) for tier in LADDER}


def usual_in(scope: Scope, speciality: str) -> dict[str, int]:
    """{tier: days} after which somebody is stuck on it."""
    return usual_of(transitions(scope)[0].get(speciality, {}))


def ladder(scope: Scope, speciality: str, period: Period) -> Ladder:
    """Four queries, whatever the number of people."""
    found, young = transitions(scope)
    ways = found.get(speciality, {})
    usual = usual_of(ways)
    stand = standing(scope, speciality, usual).ask(
        "SELECT tier, COUNT(*) AS n, SUM(stuck) AS stuck FROM fact GROUP BY tier"
    )
    money = income(scope, period).ask(
        "SELECT speciality, tier, SUM(items) AS items, SUM(amount) AS amount, SUM(cost) AS cost FROM fact "
        "GROUP BY speciality, tier"
    )
    return Ladder(
        speciality=speciality,
        ways=ways,
        young=young.get(speciality, 0),
        usual=usual,
        people={row["tier"]: row["n"] for row in stand},
        stuck={row["tier"]: int(row["stuck"]) for row in stand},
        money={
            row["tier"]: (int(row["items"]), int(row["amount"]), int(row["cost"]))
            for row in money
            if row["speciality"] == speciality
        },
    )


@dataclass(frozen=True)
class TouchLine:
    """People of one channel (None = unknown; `is_all`: of every one) and the median of their touchpoints."""

    channel_id: int | None
    name: str
    people: int
    median: int | None
    is_all: bool = False


def touch_lines(scope: Scope, period: Period) -> tuple[list[TouchLine], list[tuple[int, int]]]:
    """Touches before the first core visit by channel, all first; and (touches, people) in order."""
    rows = touches(scope, period).ask(
        "SELECT channel_id, touches, COUNT(*) AS n FROM fact GROUP BY channel_id, touches"
    )
    names: dict[int | None, str] = dict(Channel.objects.values_list("pk", "name"))
    by: dict[int | None, dict[int, int]] = {}
    whole: dict[int, int] = {}
    for row in rows:
        by.setdefault(row["channel_id"], {})[row["touches"]] = row["n"]
        whole[row["touches"]] = whole.get(row["touches"], 0) + row["n"]
    lines = [TouchLine(pk, names.get(pk, ""), sum(t.values()), _median(t)) for pk, t in by.items()]
    everybody = TouchLine(None, "", sum(whole.values()), _median(whole), is_all=True)
    return [everybody, *sorted(lines, key=lambda line: -line.people)], sorted(whole.items())


def _median(told: Mapping[int, int]) -> int | None:
    return nearest_rank(tuple(n for n in sorted(told) for _one in range(told[n])), Fraction(1, 2))


def named(rows: list[dict[str, Any]], by: Actor) -> list[dict[str, Any]]:
    """The rows with `patient`: the record, for whoever may open cards (of those he may open), else None; `code`."""
    ids = [row["patient_id"] for row in rows]
    codes = dict(Patient.objects.filter(pk__in=ids).values_list("pk", "external_id"))
    cards = {p.pk: p for p in visible_patients(by).filter(pk__in=ids)} if by.may("see_card") else {}
    return [row | {"patient": cards.get(row["patient_id"]), "code": codes.get(row["patient_id"], "")} for row in rows]


@dataclass(frozen=True)
class Place:
    """Where a patient stands: rows of `positions`, what may be offered, what is forbidden, the last answers."""

    positions: list[dict[str, Any]]
    next: list[Indication]
    forbidden: list[Indication]
    answers: list[Touchpoint]


def place_of_patient(scope: Scope, ids: list[int], by: Actor) -> Place:
    """`ids`: all records of the person. What is forbidden is medical: only for those who may see it. Four queries."""
    open_words = Indication.objects.filter(patient__in=ids, closed_at=None, kind=Indication.Kind.FORBIDDEN)
    forbidden = open_words.select_related("service", "doctor").order_by("id")
    return Place(
        positions=positions(scope.of(tuple(ids))).ask("SELECT * FROM fact ORDER BY speciality"),
        next=list(proposable(ids)),
        forbidden=list(forbidden) if by.may("see_medical") else [],
        answers=list(Touchpoint.objects.filter(patient__in=ids, kind="offer").order_by("-at", "-id")[:5]),
    )
