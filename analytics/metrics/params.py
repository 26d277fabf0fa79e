"""What a metric may be asked with, and how a request becomes a `Scope`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.clock import local_date
from funnel.metrics import AUDIENCES, LADDER_DAYS
from loyalty.metrics import GROUPINGS
from patients.metrics import Period, Scope
from patients.metrics.codes import codes_of, ids_of
from patients.models import Patient
from staff.access import Actor
from staff.models import Branch, Clinic

UNKNOWN = "unknown"
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(2199, 12, 31)
MEDICAL = ("diagnosis_first", "diagnosis_any")


class BadParams(Exception):
    """`errors`: {parameter: what is wrong with it}."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.errors = {name: message}


class NotYours(Exception):
    """The branch or patient is another branch's, or does not exist for this person."""


class NotAllowed(Exception):
    """The role may not group by this."""


@dataclass(frozen=True)
class Args:
    """Parameters of one metric beside the scope; what it does not take stays empty."""

    period: Period | None = None
    year: int = 0
    months: int = 0
    days: int = 0
    by: str = ""
    audience: str = "new"

    @property
    def span(self) -> Period:
        assert self.period is not None
        return self.period


def parse_date(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadParams(name, _("Enter a date as YYYY-MM-DD.")) from None
    if len(text) != 10 or not FIRST_DAY <= day <= LAST_DAY:
        raise BadParams(name, _("Enter a date as YYYY-MM-DD."))
    return day


def parse_number(name: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and low <= int(text) <= high):
        raise BadParams(name, _("Enter a whole number from %(low)s to %(high)s.") % {"low": low, "high": high})
    return int(text)


def parse_choice(name: str, text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise BadParams(name, _("Enter one of: %(choices)s.") % {"choices": ", ".join(choices)})
    return text


@dataclass(frozen=True)
class Param:
    """One parameter of a metric. `schema`: its JSON Schema; `text`: what it means."""

    name: str
    text: str | Promise
    schema: dict[str, Any]
    parse: Callable[[str, str], Any]
    default: int | str | None = None  # of an optional one; None = nothing is limited

    @property
    def described(self) -> dict[str, Any]:
        """Its JSON Schema, with the default if it has one."""
        return self.schema if self.default is None else self.schema | {"default": self.default}


def _number(name: str, text: str | Promise, low: int, high: int) -> Param:
    return Param(
        name,
        text,
        {"type": "integer", "minimum": low, "maximum": high},
        lambda param, value: parse_number(param, value, low, high),
    )


def _choice(name: str, text: str | Promise, choices: tuple[str, ...], default: str | None = None) -> Param:
    return Param(
        name,
        text,
        {"type": "string", "enum": list(choices)},
        lambda param, value: parse_choice(param, value, choices),
        default,
    )


DAY_SCHEMA = {"type": "string", "format": "date"}
TEXT_SCHEMA = {"type": "string", "maxLength": 200}


def _text(name: str, text: str) -> str:
    if not text or len(text) > 200 or "\x00" in text:
        raise BadParams(name, _("There is no such code."))
    return text


OWN = {
    "from": Param("from", gettext_lazy("First day of the period."), DAY_SCHEMA, parse_date),
    "to": Param("to", gettext_lazy("Last day of the period, included."), DAY_SCHEMA, parse_date),
    "year": _number("year", gettext_lazy("Calendar year."), 1971, 2199),
    "months": _number("months", gettext_lazy("Months after the first visit."), 1, 240),
    "days": _number("days", gettext_lazy("Days in which the next visit counts."), 1, 3650),
    "by": _choice("by", gettext_lazy("What to group by."), tuple(GROUPINGS)),
    "patient": Param(
        "patient", gettext_lazy("Code of the patient, any record of a merged person."), TEXT_SCHEMA, _text
    ),
}
AUDIENCE = _choice(
    "audience", gettext_lazy("Whose leads: of people without an earlier visit, with one, or all."), AUDIENCES, "new"
)
BY_CHANNEL = _choice("by", gettext_lazy("One funnel for each channel of the lead."), ("channel",))
MONTHS_OR_ALL = replace(OWN["months"], text=gettext_lazy("Months after the first visit; all up to the day if absent."))
STEP_DAYS = replace(
    OWN["days"], text=gettext_lazy("Days from one step of the product ladder to the next."), default=LADDER_DAYS
)
COMMON = {
    "as_of": Param(
        "as_of", gettext_lazy("Facts to the end of this local day; yesterday if absent."), DAY_SCHEMA, parse_date
    ),
    "branch": Param("branch", gettext_lazy("Code of a branch: as if only its visits existed."), TEXT_SCHEMA, _text),
    "doctor": Param("doctor", gettext_lazy("Code of a doctor: as if only these visits existed."), TEXT_SCHEMA, _text),
    "channel": Param(
        "channel", gettext_lazy("Code of a channel, or `unknown`: as if only its patients existed."), TEXT_SCHEMA, _text
    ),
}


def parsed(wanted: tuple[str, ...], raw: Mapping[str, str], optional: tuple[Param, ...] = ()) -> dict[str, Any]:
    """Values by name, with the defaults of absent ones. Raises BadParams for an unknown, missing or wrong one."""
    known = {name: OWN[name] for name in wanted} | {param.name: param for param in optional} | COMMON
    for name in raw:
        if name not in known:
            raise BadParams(name, _("This metric has no such parameter."))
    for name in wanted:
        if not raw.get(name):
            raise BadParams(name, _("This parameter is required."))
    values: dict[str, Any] = {param.name: param.default for param in optional if param.default is not None}
    values |= {name: known[name].parse(name, text) for name, text in raw.items()}
    if "from" in values and values["from"] > values["to"]:
        raise BadParams("to", _("The period ends before it begins."))
    return values


def args_of(values: Mapping[str, Any], by: Actor | None) -> Args:
    if by is not None and values.get("by") in MEDICAL and not by.may("see_medical"):
        raise NotAllowed
    period = Period(values["from"], values["to"]) if "from" in values else None
    rest = {name: values[name] for name in ("year", "months", "days", "by", "audience") if name in values}
    return Args(period=period, **rest)


def scope_of(values: Mapping[str, Any], now: datetime, by: Actor | None = None) -> Scope:
    """The scope that `values` ask for. Somebody bound to a branch gets that branch, whatever is asked.

    Raises BadParams for a code that nobody has, NotYours for another branch or its patient.
    """
    clinic = Clinic.objects.get(pk=1)
    branch = _branch(values.get("branch"), by)
    tz = branch.tz if branch else clinic.tz
    records = _records(values["patient"]) if "patient" in values else None
    return Scope(
        as_of=values.get("as_of") or local_date(now, tz) - timedelta(days=1),
        tz=tz,
        stored_tz=clinic.tz,
        theta=clinic.theta_days,
        history_from=clinic.history_from,
        branch=(branch.pk,) if branch else None,
        doctor=_only("doctor", values["doctor"]) if "doctor" in values else None,
        channels=_channels(values["channel"]) if "channel" in values else None,
        records=records,
    )


def _only(what: str, code: str) -> tuple[int]:
    """The one id of that code. Danger: a code that two sources share must not melt two doctors into one."""
    ids = ids_of(what, code)
    if not ids:
        raise BadParams(what, _("There is no such code."))
    if len(ids) > 1:
        raise BadParams(what, _("Several sources use this code: write source:code."))
    return (ids[0],)


def _channels(code: str) -> tuple[int | None, ...]:
    return (None,) if code == UNKNOWN else _only("channel", code)


def _branch(code: str | None, by: Actor | None) -> Branch | None:
    bound = by.branch_id if by else None
    if bound is None:
        return Branch.objects.get(pk=_only("branch", code)[0]) if code else None
    branch = Branch.objects.get(pk=bound)
    if code and bound not in ids_of("branch", code):
        raise NotYours
    return branch


def _records(code: str) -> tuple[int, ...]:
    """All records of the person one of whose records has that code (`source:code` where two sources share it)."""
    source, _colon, own = code.partition(":")
    found = set(Patient.objects.filter(external_id=code).values_list("canonical_id", "id"))
    if own and not found:
        found = set(Patient.objects.filter(external_id=own, source__code=source).values_list("canonical_id", "id"))
    roots = {canonical or pk for canonical, pk in found}
    if not roots:
        raise BadParams("patient", _("There is no such code."))
    if len(roots) > 1:
        raise BadParams("patient", _("Several sources use this code: write source:code."))
    return records_of(roots.pop())


def records_of(root: int) -> tuple[int, ...]:
    """Ids of all records of the canonical patient."""
    merged = Patient.objects.filter(canonical_id=root).values_list("id", flat=True)
    return (root, *merged)


def branch_code(scope: Scope) -> str | None:
    return codes_of("branch")[scope.branch[0]] if scope.branch else None
