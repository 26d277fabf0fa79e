"""The page "Messages": what waits, what went out and what did not, with the reason; and the switch for all of it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.clock import zone
from messaging import actions, queries
from messaging.models import Message
from messaging.models.outbox import State
from messaging.queries.outbox import visible_messages, words_for
from messaging.tasks import wake
from messaging.transports import NAMES
from patients.queries.desk import desk_tz
from staff.access import Actor, needs
from staff.models import Clinic
from staff.views.login import see_other

KINDS = {
    State.SENT: "good",
    State.DELIVERED: "good",
    State.UNDELIVERED: "bad",
    State.REFUSED: "bad",
    State.UNKNOWN: "warn",
    State.EXPIRED: "warn",
}


def actor(request: HttpRequest) -> Actor:
    by: Actor = request.actor  # type: ignore[attr-defined]
    return by


def local_times(by: Actor) -> AbstractContextManager[Any]:
    """Times as the clock on the wall of his branch shows them, or the clinic's."""
    return timezone.override(zone(desk_tz(by)))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _line(row: Message, by: Actor) -> dict[str, Any]:
    return {"message": row, "kind": KINDS.get(State(row.state), ""), "words": words_for(row, by)}


@needs("see_outbox")
@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """`?state=` one state, `?after=` the key of the page."""
    by, state, now = actor(request), request.GET.get("state", ""), timezone.now()
    page = queries.outbox_page(by=by, state=state, after=_number(request.GET.get("after")), now=now)
    health = queries.health(now)
    context = {
        "page": page,
        "state": state,
        "rows": [_line(row, by) for row in page.rows],
        "open_count": sum(count.count for count in page.counts if count.state in ("queued", "claimed", "inflight")),
        "gone_count": sum(count.count for count in page.counts if count.state in ("sent", "delivered")),
        "unknown_count": sum(count.count for count in page.counts if count.state == State.UNKNOWN),
        "health": health,
        "oldest_minutes": int(health.oldest_due // 60),
        "sending_paused": queries.sending_paused(),
        "broken": queries.broken_transports(),
        "may_see_automations": by.may("see_automations"),
        "may_pause": by.may("pause_sending"),
        "may_edit_budgets": by.may("edit_budgets"),
        "may_resolve": by.may("resolve_messages"),
        "may_see_provider": by.may("see_provider"),
        "may_see_contacts": by.may("see_contacts"),
        "may_see_money": by.may("see_money"),
        "currency": Clinic.objects.values_list("currency", flat=True).first() or "RUB",
    }
    with local_times(by):
        return render(request, "messaging/outbox.html", context)


@needs("pause_sending")
@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """`paused` = 1 or 0; `transport` empty = everything; `back` = health leads there."""
    paused, transport, now = request.POST.get("paused") == "1", request.POST.get("transport", ""), timezone.now()
    if transport and transport not in NAMES:
        raise Http404
    if transport:
        actions.pause_transport(transport=transport, paused=paused, by=actor(request), now=now)
    else:
        actions.pause_sending(paused=paused, by=actor(request), now=now)
    if not paused:
        wake()
    messages.success(request, _("Sending is paused.") if paused else _("Sending goes on."))
    return see_other(reverse("messaging:health" if request.POST.get("back") == "health" else "messaging:outbox"))


@needs("resolve_messages")
@require_POST
def resolve(request: HttpRequest, message_id: int) -> HttpResponse:
    """`outcome` = sent or again."""
    message = get_object_or_404(visible_messages(actor(request)), pk=message_id)
    sent = request.POST.get("outcome") != "again"
    try:
        actions.resolve_unknown(message=message, sent=sent, by=actor(request), now=timezone.now())
        messages.success(request, _("Marked as sent.") if sent else _("Queued again."))
    except actions.AlreadyResolved:
        messages.warning(request, _("The outcome is known already."))
    wake(message.transport)
    return see_other(reverse("messaging:outbox") + "?state=unknown")
