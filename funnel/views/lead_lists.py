"""Leads by stage (`/leads/board/`) and by filter (`/leads/list/`), the rules of the stages, the speed of answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.clock import day_end, day_start, local_date
from funnel.actions.stage_rules import set_stage_rules
from funnel.forms.leads import LeadFilter, StageRuleForm
from funnel.models import Stage, StageRule
from funnel.queries import leads as queries
from funnel.queries.lead_speed import speeds
from funnel.rules.leads import read_key, write_key
from funnel.views.leads import actor, page
from patients.queries.desk import desk_tz
from staff.access import needs
from staff.views.login import see_other

PERIODS = (7, 30, 90)  # days of the speed page


@require_safe
@needs("see_leads")
def board(request: HttpRequest) -> HttpResponse:
    return page(request, "funnel/lead_board.html", {"columns": queries.board(actor(request)), "tab": "board"})


@require_safe
@needs("see_leads")
def listing(request: HttpRequest) -> HttpResponse:
    """`?stage=&state=&channel=&kind=&reason=&first=&last=`; a filter that cannot be read filters nothing and says so."""
    by = actor(request)
    form = LeadFilter(request.GET)
    chosen = _moments(form.cleaned_data if form.is_valid() else {}, desk_tz(by))
    rows, after = queries.lead_list(by=by, chosen=chosen, after=read_key(request.GET.get("after", "")))
    context = {"form": form, "rows": rows, "after": write_key(after), "tab": "list"}
    return page(request, "funnel/lead_list.html", context)


def _moments(chosen: dict[str, Any], tz: str) -> dict[str, Any]:
    """Days of the desk as moments."""
    first, last = chosen.get("first"), chosen.get("last")
    return chosen | {"start": first and day_start(first, tz), "end": last and day_end(last, tz)}


@needs("set_stage_rules")
@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest) -> HttpResponse:
    """One form a stage, saved together."""
    stored = {rule.stage: rule for rule in StageRule.objects.all()}
    forms = [(stage, _rule_form(request, stage, stored.get(stage))) for stage in Stage]
    valid = [form.is_valid() for _stage, form in forms]
    if request.method == "POST" and all(valid):
        said = {str(stage): form.cleaned_data for stage, form in forms}
        set_stage_rules(rules=said, by=actor(request), now=timezone.now())
        messages.success(request, _("Saved."))
        return see_other(reverse("funnel:stage_rules"))
    status = 422 if request.method == "POST" else 200
    return page(request, "funnel/stage_rules.html", {"forms": forms, "tab": "rules"}, status)


def _rule_form(request: HttpRequest, stage: Stage, rule: StageRule | None) -> StageRuleForm:
    start = {name: getattr(rule, name) for name in ("role", "limit_minutes", "duty")} if rule else {}
    return StageRuleForm(request.POST or None, prefix=str(stage), initial=start)


@require_safe
@needs("see_leads")
def speed(request: HttpRequest) -> HttpResponse:
    """`?days=` 7, 30 or 90, today included."""
    by, now = actor(request), timezone.now()
    wanted = request.GET.get("days", "")
    days = int(wanted) if wanted in map(str, PERIODS) else PERIODS[1]
    tz = desk_tz(by)
    start = day_start(local_date(now, tz) - timedelta(days=days - 1), tz)
    options = [
        {"label": _("%(days)s days") % {"days": one}, "url": f"?days={one}", "current": one == days} for one in PERIODS
    ]
    context = {
        "people": speeds(by=by, start=start, end=now, column="first_response_by__full_name"),
        "channels": speeds(by=by, start=start, end=now, column="channel__name"),
        "options": options,
        "tab": "speed",
    }
    return page(request, "funnel/lead_speed.html", context)
