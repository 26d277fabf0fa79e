"""What a page looks through: period, what it is compared with, and the filters, as the address names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from analytics.metrics.params import UNKNOWN, scope_of
from analytics.rules.periods import PRESETS, Span, previous, year_before
from patients.metrics import Period, Scope
from patients.models import Channel
from staff.access import Actor
from staff.models import Branch, Clinic, Doctor

NOBODY = (0,)  # no row has the id 0: a filter that matches nothing. An empty tuple would mean "no filter".


@dataclass(frozen=True)
class Option:
    """One choice of a filter; `value` stands in the address."""

    value: str
    name: str
    pk: int = 0


@dataclass(frozen=True)
class Options:
    """All choices; `names` of codes serve the tables too."""

    branch: list[Option]
    doctor: list[Option]
    channel: list[Option]
    speciality: list[Option]

    def name_of(self, what: str, code: str | None) -> str:
        """The name behind a code of a result; the code itself when it is unknown."""
        return next((o.name for o in getattr(self, what) if o.value == code), code or "")

    def value_of(self, what: str, pk: int | None) -> str | None:
        return next((o.value for o in getattr(self, what) if o.pk == pk), None)


@dataclass(frozen=True)
class Lens:
    """`before` is the period compared with. `filters`: {name: value} of the filters that are set."""

    scope: Scope
    period: Period
    before: Period
    against: str
    filters: dict[str, str]
    options: Options
    currency: str
    actor: Actor

    @property
    def params(self) -> dict[str, str]:
        """How an address (and the API) names this scope; a speciality is ours alone."""
        return {**self.filters, "as_of": self.scope.as_of.isoformat()}

    def as_of(self, day: date) -> Scope:
        """The same scope at the end of another day."""
        return replace(self.scope, as_of=day)


def lens_of(wanted: Mapping[str, Any], now: datetime, by: Actor) -> Lens:
    """`wanted`: cleaned data of `FilterForm`. Raises BadParams for an unknown code, NotYours for another branch."""
    options = options_for(by)
    filters = {name: str(wanted[name]) for name in ("branch", "doctor", "channel", "speciality") if wanted.get(name)}
    values: dict[str, Any] = {name: text for name, text in filters.items() if name != "speciality"}
    if wanted.get("as_of"):
        values["as_of"] = wanted["as_of"]
    scope = scope_of(values, now, by)
    if "speciality" in filters:
        scope = of_speciality(scope, filters["speciality"])
    span = period_of(wanted, scope.as_of)
    against = str(wanted.get("against") or "previous")
    before = year_before(*span) if against == "year" else previous(*span)
    currency = Clinic.objects.values_list("currency", flat=True).get(pk=1)
    return Lens(scope, Period(*span), Period(*before), against, filters, options, currency, by)


def period_of(wanted: Mapping[str, Any], as_of: date) -> Span:
    """Own dates win; one of them alone means "until now" or "the year up to that day"."""
    first: date | None = wanted.get("first")
    last: date | None = wanted.get("last")
    if last is not None:
        return first or last - timedelta(days=364), last
    if first is not None:
        return first, max(as_of, first)
    return PRESETS[str(wanted.get("period") or "12m")](as_of)


def of_speciality(scope: Scope, speciality: str) -> Scope:
    """As if only the visits to doctors of this speciality existed."""
    ids = set(Doctor.objects.filter(speciality=speciality).values_list("id", flat=True))
    kept = ids & set(scope.doctor) if scope.doctor else ids
    return replace(scope, doctor=tuple(sorted(kept)) or NOBODY)


def options_for(by: Actor) -> Options:
    """Three queries. Somebody bound to a branch is offered that branch alone."""
    branches = list(Branch.objects.order_by("name", "id").values_list("id", "external_id", "source__code", "name"))
    doctors = list(
        Doctor.objects.order_by("name", "id").values_list("id", "external_id", "source__code", "name", "speciality")
    )
    channels = list(Channel.objects.order_by("name", "id").values_list("id", "external_id", "source__code", "name"))
    mine = [row for row in branches if by.branch_id in (None, row[0])]
    specialities = sorted({row[4] for row in doctors if row[4]})
    return Options(
        branch=_coded(mine, branches),
        doctor=_coded([row[:4] for row in doctors], doctors),
        channel=[*_coded(channels, channels), Option(UNKNOWN, UNKNOWN)],
        speciality=[Option(name, name) for name in specialities],
    )


def _coded(rows: Iterable[tuple[Any, ...]], every: Iterable[tuple[Any, ...]]) -> list[Option]:
    """Codes as in results: `source:code` where two sources share a code (`patients.metrics.codes`)."""
    times = Counter(row[1] for row in every)
    return [
        Option(code if times[code] == 1 else f"{source}:{code}", name, pk) for pk, code, source, name, *_rest in rows
    ]
