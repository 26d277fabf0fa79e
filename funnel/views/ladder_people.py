"""The people behind the numbers of the ladder: of a step, of a way, those who stopped, touches before the core product."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from core.charts.heat import step_of
from core.clock import from_day_number
from core.pages import MOST
from funnel.actions.ladder import call_stuck
from funnel.queries import ladder as asked
from funnel.queries.ladder_page import named, specialities, touch_lines, usual_in
from funnel.rules.ladder import LADDER, NONE
from funnel.views.ladder import DAYS, SIZE, actor, last_year, live_scope, people_url, tiered
from patients.metrics import Facts, Scope
from patients.models.price import Tier
from staff.access import Actor, needs


@require_GET
@needs("see_ladder")
def people(request: HttpRequest) -> HttpResponse:
    """Who stands behind a number: `?of=` ways, places, money or touches, narrowed by the rest of the address."""
    by = actor(request)
    facts, where = _behind(request, live_scope(by))
    rows, after = asked.people(facts, where, _after(request), SIZE)
    context = {
        "of": request.GET["of"],
        "rows": [_said(row) for row in named(rows, by)],
        "after": after,
        "see_money": by.may("see_money"),
        "back_url": reverse("funnel:ladder_touches" if request.GET["of"] == "touches" else "funnel:ladder"),
        "speciality": request.GET.get("speciality", "") if request.GET["of"] != "touches" else "",
        "tier": Tier(str(where["tier"])).label if "tier" in where else "",
    }
    return render(request, "funnel/ladder_people.html", context)


def _after(request: HttpRequest) -> int:
    text = (request.POST if request.method == "POST" else request.GET).get("after", "")
    return int(text) if text.isdecimal() and int(text) <= MOST else 0


def _behind(request: HttpRequest, scope: Scope) -> tuple[Facts, dict[str, int | str | None]]:
    """The facts of a list and what narrows them. 404 for an address that we never made."""
    given, of = request.GET, request.GET.get("of")
    if of == "touches":
        return asked.touches(scope, last_year(scope)), _touch_limits(given)
    name = _known(given.get("speciality", ""))
    where: dict[str, int | str | None] = {"tier": _tier(given.get("tier", ""))} if "tier" in given else {}
    if of == "places":
        return asked.standing(scope, name, dict.fromkeys(LADDER, DAYS)), where
    where["speciality"] = name
    if of == "money" and "tier" in where:
        return asked.income(scope, last_year(scope)), where
    if of == "ways":
        where["mature"] = 0 if given.get("mature") == "0" else 1
        if "later" in given:
            where["later"] = given["later"] if given["later"] == NONE else _tier(given["later"])
        return asked.steps(scope), where
    raise Http404


def _known(speciality: str) -> str:
    if speciality not in specialities():
        raise Http404
    return speciality


def _tier(text: str) -> str:
    if text not in Tier.values:
        raise Http404
    return text


def _touch_limits(given: Mapping[str, str]) -> dict[str, int | str | None]:
    where: dict[str, int | str | None] = {}
    for name, column in (("channel", "channel_id"), ("touches", "touches")):
        text = given.get(name)
        if text is not None:
            where[column] = None if text == NONE and column == "channel_id" else _number(text)
    return where


def _number(text: str) -> int:
    if not (text.isdecimal() and int(text) <= MOST):
        raise Http404
    return int(text)


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """A row of facts as the page says it: a date for the day, words for steps."""
    day: date | None = from_day_number(row["day"]) if "day" in row else None
    words = {name: _word(row[name]) for name in ("tier", "later") if name in row}
    margin = {"margin": row["amount"] - row["cost"]} if "amount" in row else {}
    return row | words | margin | {"day": day}


def _word(tier: str) -> str:
    return _("went no further") if tier == NONE else str(Tier(tier).label)


@require_GET
@needs("see_ladder")
def stuck(request: HttpRequest) -> HttpResponse:
    """Who stands on a step for more than its usual time with nothing booked."""
    by = actor(request)
    speciality, tier, usual, rows, after = _stuck(request, by)
    context = {
        "rows": [_said(row) for row in named(rows, by)],
        "after": after,
        "key": _after(request),
        "speciality": speciality,
        "tier": tier,
        "label": Tier(tier).label,
        "usual": usual,
        "may_call": by.may("call_stuck"),
    }
    return render(request, "funnel/ladder_stuck.html", context)


def _stuck(request: HttpRequest, by: Actor) -> tuple[str, str, int, list[dict[str, Any]], int | None]:
    """(speciality, tier, usual days, rows of a page, key of the next page)."""
    given = request.POST if request.method == "POST" else request.GET
    tier, scope, name = given.get("tier", ""), live_scope(by), _known(given.get("speciality", ""))
    if tier not in LADDER:
        raise Http404
    usual = usual_in(scope, name)
    facts = asked.standing(scope, name, usual)
    rows, after = asked.people(facts, {"tier": tier, "stuck": 1}, _after(request), SIZE)
    return name, tier, usual[tier], rows, after


@require_POST
@needs("call_stuck")
def call(request: HttpRequest) -> HttpResponse:
    """Work items for the page of the list that was looked at, as it is now."""
    by = actor(request)
    speciality, tier, _usual, rows, _next = _stuck(request, by)
    note = _("Stopped on the step “%(tier)s”, %(speciality)s. Offer only what a doctor has indicated.") % {
        "tier": Tier(tier).label,
        "speciality": speciality or _("no speciality"),
    }
    ids = [row["patient_id"] for row in rows]
    made = call_stuck(patient_ids=ids, tier=tier, note=note, by=by, now=timezone.now())
    messages.success(request, _made(made, len(ids) - made))
    key = {"after": str(_after(request))} if _after(request) else {}
    url = f"{reverse('funnel:ladder_stuck')}?{urlencode(tiered(speciality, tier) | key)}"
    return HttpResponseRedirect(url, status=303)


def _made(made: int, left: int) -> str:
    new = ngettext("%(n)d new work item.", "%(n)d new work items.", made) % {"n": made}
    why = ngettext(
        "%(n)d person was left out: has one already, or advertising is on hold.",
        "%(n)d people were left out: they have one already, or advertising is on hold.",
        left,
    )
    return f"{new} {why % {'n': left}}" if left else new


@require_GET
@needs("see_ladder")
def touches(request: HttpRequest) -> HttpResponse:
    """How many touchpoints there were before the first core visit, by channel (R43)."""
    scope = live_scope(actor(request))
    lines, told = touch_lines(scope, last_year(scope))
    most = max((people for _n, people in told), default=0)
    context = {
        "lines": [
            {
                "name": _("All") if line.is_all else line.name or _("unknown channel"),
                "people": line.people,
                "median": line.median,
                "url": people_url("touches", **({} if line.is_all else {"channel": str(line.channel_id or NONE)})),
            }
            for line in lines
        ],
        "told": [
            {"touches": n, "people": many, "step": step_of(many, 0, most), "url": people_url("touches", touches=str(n))}
            for n, many in told
        ],
        "any": bool(told),
        "days": DAYS,
    }
    return render(request, "funnel/ladder_touches.html", context)
