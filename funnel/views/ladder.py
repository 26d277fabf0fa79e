"""`/ladder/`: the steps of a speciality, the ways between them, money by step, gaps of the price list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.charts.heat import step_of
from core.clock import local_date
from funnel.queries import ladder as asked
from funnel.queries.ladder_page import Ladder, ladder, specialities
from funnel.rules.ladder import LADDER, NONE, Step
from patients.metrics import Period, Scope
from patients.models.price import Tier
from staff.access import Actor, needs
from staff.models import Clinic

SIZE, DAYS = 50, 365


def actor(request: HttpRequest) -> Actor:
    by: Actor = request.actor  # type: ignore[attr-defined]
    return by


def live_scope(by: Actor) -> Scope:
    """As of today; a person bound to a branch sees what happened in that branch."""
    clinic = Clinic.objects.get(pk=1)
    branch = (by.branch_id,) if by.branch_id else None
    today = local_date(timezone.now(), clinic.tz)
    return Scope(today, clinic.tz, clinic.tz, clinic.theta_days, clinic.history_from, branch=branch)


def last_year(scope: Scope) -> Period:
    return Period(scope.as_of - timedelta(days=DAYS - 1), scope.as_of)


def chosen(request: HttpRequest, names: list[str]) -> str:
    """`?speciality=`; the first one when it names none of ours."""
    said = (request.POST if request.method == "POST" else request.GET).get("speciality")
    return said if said in names else next((name for name in names if name), "")


@require_GET
@needs("see_ladder")
def page(request: HttpRequest) -> HttpResponse:
    """One speciality: where people stand, where they went, money by step; gaps of the whole price list."""
    by, names = actor(request), specialities()
    scope, name = live_scope(by), chosen(request, names)
    found = ladder(scope, name, last_year(scope))
    gaps = list(asked.unclassified()[: SIZE + 1])
    context = {
        "names": [{"value": n, "label": n or _("no speciality"), "selected": n == name} for n in names],
        "speciality": name,
        "steps": _steps(found, see_money=by.may("see_money")),
        "columns": [Tier(tier).label for tier in LADDER[1:]],
        "matrix": _matrix(found),
        "young": found.young,
        "young_url": people_url("ways", name, mature="0"),
        "window": asked.MATURE_DAYS,
        "gaps": gaps[:SIZE],
        "more_gaps": len(gaps) > SIZE,
        "missing": [(n or _("no speciality"), [Tier(t).label for t in lost]) for n, lost in _missing()],
        "see_money": by.may("see_money"),
        "edit_ladder": by.may("edit_ladder"),
    }
    return render(request, "funnel/ladder.html", context)


def _missing() -> list[tuple[str, list[str]]]:
    return sorted(asked.missing_tiers().items())


def _steps(found: Ladder, *, see_money: bool) -> list[dict[str, Any]]:
    rows = []
    for tier in (*LADDER, "other"):
        items, amount, cost = found.money.get(tier, (0, 0, 0))
        money = {"amount": amount, "margin": amount - cost} if see_money else {}
        rows.append(
            {
                "tier": tier,
                "label": Tier(tier).label,
                "people": found.people.get(tier, 0) if tier in LADDER else None,
                "people_url": people_url("places", found.speciality, tier=tier),
                "stuck": found.stuck.get(tier, 0),
                "stuck_url": f"{reverse('funnel:ladder_stuck')}?{urlencode(tiered(found.speciality, tier))}",
                "usual": found.usual.get(tier),
                "items": items,
                "items_url": people_url("money", found.speciality, tier=tier),
                "share": Decimal(amount - cost) / amount if amount > 0 else None,
                **money,
            }
        )
    return rows


def tiered(speciality: str, tier: str) -> dict[str, str]:
    return {"speciality": speciality, "tier": tier}


def _matrix(found: Ladder) -> list[dict[str, Any]]:
    """Rows of the heat table: one a step left, a cell for each step that may come later and for none."""
    return [
        {
            "label": Tier(tier).label,
            "count": sum(step.count for step in ways),
            "url": people_url("ways", found.speciality, tier=tier, mature="1"),
            "cells": [_cell(found.speciality, tier, to, ways) for to in (*LADDER[1:], NONE)],
        }
        for tier, ways in found.ways.items()
    ]


def _cell(speciality: str, tier: str, later: str, ways: Any) -> Mapping[str, Any] | None:
    step: Step | None = next((way for way in ways if way.later == later), None)
    if step is None:
        return None
    share = Decimal(step.share.numerator) / step.share.denominator
    return {
        "step": step_of(share, 0, 1),
        "count": step.count,
        "share": share,
        "median": step.median,
        "url": people_url("ways", speciality, tier=tier, mature="1", later=later),
    }


def people_url(of: str, speciality: str = "", **more: str) -> str:
    return f"{reverse('funnel:ladder_people')}?{urlencode({'of': of, 'speciality': speciality, **more})}"
