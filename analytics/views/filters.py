"""The address of a page becomes what it looks through, and the bar of filters above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.forms import Select
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.forms import FilterForm
from analytics.metrics.params import UNKNOWN, BadParams, NotYours
from analytics.queries.lens import Lens, lens_of
from analytics.rules.periods import DEFAULT
from analytics.views.words import AGAINST, PERIODS
from core import formats
from patients.metrics import Period
from staff.access import Actor

FILTERS = ("branch", "speciality", "doctor", "channel")


@dataclass(frozen=True)
class Bar:
    """What the filter bar needs. `periods`, `against`: {label, url, current}; `chips`: set filters, {label, url};
    `kept`: what else stands in the address.
    """

    form: FilterForm
    periods: list[dict[str, Any]]
    against: list[dict[str, Any]]
    chips: list[dict[str, Any]]
    period: str
    before: str
    as_of: str
    status: int
    query: str
    kept: list[tuple[str, str]]


def actor_of(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def looked_through(request: HttpRequest) -> tuple[Lens, Bar]:
    """Lens and bar of the request. A wrong filter is named and left out; another branch's code answers 404."""
    form = FilterForm(request.GET)
    valid = form.is_valid()
    wanted = {name: value for name, value in form.cleaned_data.items() if name not in form.errors} if valid else {}
    try:
        lens = lens_of(wanted, timezone.now(), actor_of(request))
    except NotYours as error:
        raise Http404 from error
    except BadParams as error:
        for name, message in error.errors.items():
            form.add_error(name if name in form.fields else None, message)
        lens = lens_of({k: v for k, v in wanted.items() if k not in error.errors}, timezone.now(), actor_of(request))
    return lens, _bar(request, form, lens, wanted)


def _bar(request: HttpRequest, form: FilterForm, lens: Lens, wanted: dict[str, Any]) -> Bar:
    own = bool(wanted.get("first") or wanted.get("last"))
    now = "" if own else str(wanted.get("period") or DEFAULT)
    _offer(form, lens)
    own_dates = {"from": None, "to": None}
    return Bar(
        form=form,
        periods=[
            _way(request, str(name), value == now, {"period": value, **own_dates}) for value, name in PERIODS.items()
        ],
        against=[
            _way(request, str(name), value == lens.against, {"against": value}) for value, name in AGAINST.items()
        ],
        chips=[
            _way(request, f"{form.fields[name].label}: {_name(lens, name)}", False, {name: None})
            for name in FILTERS
            if name in lens.filters
        ],
        period=span_text(lens.period),
        before=span_text(lens.before),
        as_of=formats.day(lens.scope.as_of),
        status=422 if form.errors else 200,
        query=request.GET.urlencode(),
        kept=_kept(request, form),
    )


def _kept(request: HttpRequest, form: FilterForm) -> list[tuple[str, str]]:
    """Parameters of the address that are not the form's: they must survive its sending. Paging starts anew."""
    own = {form.add_prefix(name) for name in form.fields} | {"after"}
    return [(name, str(value)) for name, value in request.GET.items() if name not in own]


def _way(request: HttpRequest, label: str, current: bool, changes: dict[str, str | None]) -> dict[str, Any]:
    return {"label": label, "url": changed(request, changes), "current": current}


def changed(request: HttpRequest, changes: dict[str, str | None]) -> str:
    """The present address with some parameters changed or (None) left out; paging starts anew."""
    query = request.GET.copy()
    for name, value in {"after": None, **changes}.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"


def _name(lens: Lens, what: str) -> str:
    code = lens.filters[what]
    return _("unknown") if code == UNKNOWN else lens.options.name_of(what, code)


def _offer(form: FilterForm, lens: Lens) -> None:
    """Gives the selects their choices."""
    first = {
        "branch": _("All branches"),
        "speciality": _("All"),
        "doctor": _("All doctors"),
        "channel": _("All sources"),
    }
    for name in FILTERS:
        offered = [(o.value, _("unknown") if o.value == UNKNOWN else o.name) for o in getattr(lens.options, name)]
        widget = form.fields[name].widget
        assert isinstance(widget, Select)
        widget.choices = [("", first[name]), *offered]


def span_text(period: Period) -> str:
    """'01.01.2026 – 31.03.2026'"""
    return f"{formats.day(period.first)} – {formats.day(period.last)}"
