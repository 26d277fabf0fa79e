"""The rows behind a figure for people: filtered by column, with the names of patients, doctors and services."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from analytics.metrics import BadParams, Metric
from analytics.metrics.columns import COLUMNS
from analytics.metrics.params import Args, args_of, parsed
from analytics.queries.lens import Lens
from analytics.queries.rows import CODED, from_epoch
from core.clock import from_day_number, zone
from patients.metrics import Facts
from patients.metrics.facts import literal
from patients.models import Service
from patients.queries import visible_patients

FILTERABLE = ("text", "flag")
HIDDEN = ("id", "patient_id", "visit_id")  # our own numbers: of use to programs, not to people
BATCH = 2000
CODE = re.compile(r"[\w .:+>|-]{1,120}")
# {(metric, kind of row): columns that say nothing of it}
DULL = {
    ("churn_year", "patient"): ("amount",),
    ("cac", "patient"): ("amount", "channel_kind"),
    ("cac", "spend"): ("patient", "channel_kind"),
    ("average_check", "payment"): ("doctor", "branch"),
    ("cost_per", "lead"): ("amount",),
    ("cost_per", "spend"): ("patient", "did_book"),
    ("funnel_snapshot", "lead"): ("amount",),
    ("funnel_snapshot", "booking"): ("amount",),
    ("funnel_snapshot", "second"): ("amount", "channel"),
    ("funnel_snapshot", "referred"): ("amount", "channel"),
    ("utilisation", "shift"): ("patient",),
    **{(slug, "patient"): ("amount",) for slug in ("ltv_cac", "payback", "romi")},
    **{(slug, "spend"): ("patient", "month", "revenue", "margin") for slug in ("ltv_cac", "payback", "romi")},
}


@dataclass(frozen=True)
class Rows:
    """Rows of one metric: `where` = {column: value} that narrows them down."""

    metric: Metric
    facts: Facts
    where: dict[str, str]
    params: dict[str, Any]

    @property
    def columns(self) -> list[str]:
        """Those that say something: not our numbers, and not what every row has because the page asked for it."""
        dull = DULL.get((self.metric.slug, self.where.get("kind", "")), ())
        return [name for name in self.metric.columns if name not in (*HIDDEN, *dull, *self.where)]


def rows_of(metric: Metric, lens: Lens, raw: Mapping[str, str]) -> Rows:
    """`raw`: parameters of the address. Raises BadParams, NotAllowed."""
    own = {name: raw[name] for name in metric.own if name in raw}
    values = parsed(metric.params, own, metric.optional)
    args: Args = args_of(values, lens.actor)
    return Rows(metric, metric.facts(lens.scope, args), _where(metric, raw), values)


def _where(metric: Metric, raw: Mapping[str, str]) -> dict[str, str]:
    """Columns that must have a value. Only short codes: what else an address may hold is no value of a column."""
    wanted = {name: raw[name] for name in metric.columns if name in raw and name not in metric.own}
    narrowed = {name: value for name, value in wanted.items() if COLUMNS[name].kind in FILTERABLE}
    for name, value in narrowed.items():
        if not CODE.fullmatch(value):
            raise BadParams(name, gettext("There is no such code."))
    return narrowed


def page(rows: Rows, after: list[int | str] | None, size: int) -> list[dict[str, Any]]:
    """At most `size` rows after the key `after`, in the order of their key; `patient` is the canonical one's code."""
    facts = rows.facts
    names = ", ".join(f"f.{name}" for name in facts.key)
    limits = [_limit(name, value) for name, value in rows.where.items()]
    if after:
        limits.append(f"({names}) > ({', '.join(literal(value) for value in after)})")
    tail = f"WHERE {' AND '.join(limits) or '1 = 1'} ORDER BY {names} LIMIT {int(size)}"
    code = "LEFT JOIN patients_patient pp ON pp.id = f.patient_id"
    return facts.ask(f"SELECT f.*, pp.external_id AS patient FROM fact f {code} {tail}")  # noqa: S608


def _limit(name: str, value: str) -> str:
    """Danger: the value comes from the address. Flags are 0 or 1, text is quoted as a literal."""
    if COLUMNS[name].kind == "flag":
        return f"f.{name} = {1 if value in ('1', 'true') else 0}"
    return f"f.{name} = {literal(value)}"


def count(rows: Rows) -> int:
    limits = " AND ".join(_limit(name, value) for name, value in rows.where.items()) or "1 = 1"
    (row,) = rows.facts.ask(f"SELECT COUNT(*) AS n FROM fact f WHERE {limits}")  # noqa: S608
    return int(row["n"])


def batches(rows: Rows) -> Iterator[list[dict[str, Any]]]:
    """All rows, in flat memory."""
    after: list[int | str] | None = None
    while True:
        found = page(rows, after, BATCH)
        if found:
            yield found
        if len(found) < BATCH:
            return
        after = [found[-1][name] for name in rows.facts.key]


@dataclass(frozen=True)
class Names:
    """What ids and codes of a page stand for. `people`: names of the patients that this person may open."""

    people: dict[int, str]
    services: dict[int, str]
    doctors: dict[int, str]
    branches: dict[int, str]
    channels: dict[int, str]

    def of(self, what: str, pk: Any) -> str:
        named: dict[int, str] = getattr(self, {"branch": "branches"}.get(what, f"{what}s"))
        return named.get(int(pk), "") if pk is not None else ""


def names_for(found: list[dict[str, Any]], lens: Lens) -> Names:
    """Two questions for a page, whatever its length."""
    ids = {row["patient_id"] for row in found if row.get("patient_id")}
    services = {row["service_id"] for row in found if row.get("service_id")}
    return Names(
        people=people(ids, lens),
        services=dict(Service.objects.filter(id__in=services).values_list("id", "name")) if services else {},
        doctors={o.pk: o.name for o in lens.options.doctor},
        branches={o.pk: o.name for o in lens.options.branch},
        channels={o.pk: o.name for o in lens.options.channel},
    )


def people(ids: set[int], lens: Lens) -> dict[int, str]:
    """{id: full name} for whoever may open cards, of those that he may open; empty for a marketer."""
    if not ids or not lens.actor.may("see_card"):
        return {}
    return {patient.pk: patient.full_name for patient in visible_patients(lens.actor).filter(id__in=ids)}


def cell(name: str, row: dict[str, Any], rows: Rows, names: Names) -> Any:
    """The value of one column: dates as dates, money in minor units, ids as names."""
    if name in CODED:
        return names.of(CODED[name], row[f"{name}_id"])
    value = row[name]
    if name in rows.facts.codes and str(value).isdigit():
        return names.of(rows.facts.codes[name], value)
    if value is None:
        return None
    kind = COLUMNS[name].kind
    if kind == "instant":
        return from_epoch(int(value)).astimezone(zone(rows.facts.scope.tz)).strftime("%Y-%m-%d %H:%M:%S")
    return from_day_number(value) if kind == "day" else int(value) if kind in ("int", "money") else value
