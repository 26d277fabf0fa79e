"""The page "Automations": all of them with the last 30 days, and one page each: switch, delay, texts, approval."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.charts import Series, bar_chart
from core.clock import zone
from messaging import actions, automations, queries
from messaging.forms import ApprovalForm, DelayForm, spoken, when
from messaging.models import Approval
from messaging.queries.automations import AutomationRow, approvals_of, by_kind, clicks_of, sent_by_day
from messaging.queries.due import clinic_day
from messaging.queries.lint import findings_of
from messaging.queries.preview import example_values, shown
from messaging.queries.texts import TemplateRow, template_rows
from messaging.rules.automation import Automation
from messaging.rules.texts import Wording, hash_of
from messaging.views.outbox import actor
from patients.models.person import Transport
from patients.queries.desk import desk_tz
from staff.access import needs
from staff.views.login import see_other

LANGUAGE_NAMES = {"ru": "Русский", "en": "English"}


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """With times of the branch's zone."""
    with timezone.override(zone(desk_tz(actor(request)))):
        return render(request, template, context, status=status)


def found(code: str) -> Automation:
    automation = automations.by_code(code)
    if automation is None:
        raise Http404
    return automation


@needs("see_automations")
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rows = queries.automation_rows(automations.registered(), now=now)
    waiting = [row for row in rows if row.waiting_today]
    context = {
        "groups": [(title, [_line(row) for row in group]) for title, group in by_kind(rows)],
        "waiting": sum(row.waiting_today or 0 for row in waiting),
        "as_of": next((row.as_of for row in rows if row.as_of != now), None),
        "total": {
            name: sum(getattr(row, name) for row in rows) for name in ("due", "sent", "confirmed", "came", "cost")
        },
        "may_approve": actor(request).may("approve_adverts"),
        "may_see_money": actor(request).may("see_money"),
        "sending_paused": queries.sending_paused(),
    }
    return page(request, "messaging/automations.html", context)


def _line(row: AutomationRow) -> dict[str, Any]:
    return {"row": row, "when": when(row.automation, row.setting.delay_minutes), "share": share(row.sent, row.due)}


def share(part: int, whole: int) -> int:
    """Whole percent, for a bar."""
    return round(100 * part / whole) if whole else 0


@needs("see_automations")
@require_safe
def one(request: HttpRequest, code: str) -> HttpResponse:
    automation, now, by = found(code), timezone.now(), actor(request)
    [row] = queries.automation_rows([automation], now=now)
    today = clinic_day(now)
    texts = template_rows([automation.template])
    context = {
        "row": row,
        "automation": automation,
        "when": when(automation, row.setting.delay_minutes),
        "declared": when(automation, None),
        "delay_form": delay_form(automation, row.setting.delay_minutes),
        "texts": _texts(automation, texts),
        "chart": _chart(sent_by_day(code, now)),
        "clicks": clicks_of(code, now) if any(text.wording.link for text in texts) else None,
        "may_edit": by.may("edit_messages"),
        "may_approve": by.may("approve_adverts"),
        "may_see_money": by.may("see_money"),
    }
    if automation.advertises:
        context |= _approval(automation, row, texts, today)
    return page(request, "messaging/automation.html", context)


def delay_form(automation: Automation, minutes: int | None, data: Any = None) -> DelayForm | None:
    if automation.delay is None:
        return None
    form = DelayForm(data, delay=automation.delay)
    form.initial["amount"] = None if minutes is None else minutes // form.unit
    return form


def _texts(automation: Automation, rows: list[TemplateRow]) -> list[dict[str, Any]]:
    """A text that Telegram merely shares with the SMS is not listed twice."""
    own = [row for row in rows if row.transport != "telegram" or row.edited]
    keys = {f"{row.transport}:{row.language}": row.wording for row in own}
    linted = findings_of(keys, advertises=automation.advertises)
    values = {language: example_values(language, Wording("")) for language in LANGUAGE_NAMES}
    told = []
    for row in own:
        words = row.wording
        given = values[row.language] | ({"link": example_values(row.language, words)["link"]} if words.link else {})
        preview = shown(words, given, row.transport, row.language, advertises=automation.advertises)
        findings = linted[f"{row.transport}:{row.language}"]
        told.append(
            {
                "row": row,
                "transport": Transport(row.transport).label,
                "language": LANGUAGE_NAMES[row.language],
                "preview": preview,
                "errors": [spoken(finding) for finding in findings if finding.is_error],
                "warnings": [spoken(finding) for finding in findings if not finding.is_error],
            }
        )
    return told


def _chart(days: list[tuple[date, int]]) -> Any:
    """None where nothing went out."""
    if not any(number for _day, number in days):
        return None
    return bar_chart(
        [f"{day:%d.%m}" for day, _number in days], [Series(_("sent"), [n for _day, n in days])], height=160
    )


def snapshot(automation: Automation) -> dict[str, Wording]:
    """The texts as they would be approved now."""
    return {f"{row.transport}:{row.language}": row.wording for row in template_rows([automation.template])}


def _approval(automation: Automation, row: AutomationRow, texts: list[TemplateRow], today: date) -> dict[str, Any]:
    approval = row.approval
    now_hash = hash_of({f"{text.transport}:{text.language}": text.wording for text in texts})
    return {
        "approval": approval,
        "changed": approval is not None and approval.text_hash != now_hash,
        "history": approvals_of(automation.subject),
        "approval_form": ApprovalForm(),
        "today": today,
    }


@needs("edit_messages")
@require_POST
def switch(request: HttpRequest, code: str) -> HttpResponse:
    """`on` = 1 or 0."""
    found(code)
    is_on = request.POST.get("on") == "1"
    actions.switch_automation(code=code, is_on=is_on, by=actor(request), now=timezone.now())
    messages.success(request, _("Switched on.") if is_on else _("Switched off: what was waiting is not sent either."))
    return see_other(reverse("messaging:automation", args=[code]))


@needs("edit_messages")
@require_POST
def delay(request: HttpRequest, code: str) -> HttpResponse:
    """`amount` of hours or days, as the form says; empty = as declared."""
    form = delay_form(found(code), None, request.POST)
    if form is None:
        raise Http404
    if form.is_valid():
        actions.set_delay(code=code, minutes=form.minutes, by=actor(request), now=timezone.now())
        messages.success(request, _("Saved. What waits already keeps its time."))
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return see_other(reverse("messaging:automation", args=[code]))


@needs("approve_adverts")
@require_POST
def approve(request: HttpRequest, code: str) -> HttpResponse:
    """`days`: 1, 3 or 7 from today on."""
    automation, now, form = found(code), timezone.now(), ApprovalForm(request.POST)
    if not automation.advertises or not form.is_valid():
        raise Http404
    today = clinic_day(now)
    try:
        actions.approve(
            subject=automation.subject,
            texts=snapshot(automation),
            audience=queries.count_due(automation, now),
            first_day=today,
            last_day=today + timedelta(days=form.cleaned_data["days"] - 1),
            by=actor(request),
            now=now,
        )
        messages.success(request, _("Approved: your name stands with every message of it."))
    except actions.BadText as error:
        faults = dict.fromkeys(spoken(finding) for finding in error.findings)
        messages.error(request, _("Not approved.") + " " + " ".join(faults))
    return see_other(reverse("messaging:automation", args=[code]))


@needs("approve_adverts")
@require_POST
def withdraw(request: HttpRequest, code: str, approval_id: int) -> HttpResponse:
    approval = get_object_or_404(Approval, pk=approval_id, subject=found(code).subject)
    actions.withdraw_approval(approval=approval, by=actor(request), now=timezone.now())
    messages.success(request, _("Withdrawn: what was waiting is not sent."))
    return see_other(reverse("messaging:automation", args=[code]))
