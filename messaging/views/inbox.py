"""The inbox: what patients wrote and no machine could settle, with the clock running (R95)."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.clock import zone
from messaging import actions
from messaging.forms import AnswerForm
from messaging.models import Reply
from messaging.queries import inbox as queries
from messaging.queries.inbox import QUICK, SLOW, Key
from messaging.views.outbox import actor
from patients.queries.desk import desk_tz
from staff.access import needs
from staff.views.login import see_other

QUICK_ANSWERS = (
    gettext_lazy("Thank you, we expect you."),
    gettext_lazy("We will call you back in a few minutes."),
    gettext_lazy("Which visit do you mean, please? Write the day and the time."),
    gettext_lazy("We have cancelled the visit. Shall we find another time for you?"),
    gettext_lazy("We are sorry. The head of the clinic will call you today."),
)


@needs("answer_replies")
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """`?after=` the key of the page. The first page asks for itself every ten seconds."""
    by, now = actor(request), timezone.now()
    page = queries.inbox_page(by=by, after=read_key(request.GET.get("after", "")))
    mark(page.rows, now)
    context = {
        "page": page,
        "after": write_key(page.after),
        "speed": queries.speed(by=by, now=now),
        "polls": "after" not in request.GET,
        "may_see_contacts": by.may("see_contacts"),
        "may_see_card": by.may("see_card"),
        "may_book": by.may("book_visits"),
    }
    template = "messaging/inbox_rows.html" if "X-Poll" in request.headers else "messaging/inbox.html"
    with timezone.override(zone(desk_tz(by))):
        return render(request, template, context)


def mark(replies: Sequence[Reply], now: datetime) -> None:
    """Puts the colour of the clock on each, as the page's script will go on with it."""
    for reply in replies:
        waited = now - reply.received_at
        reply.mark = "is-late" if waited >= SLOW else "is-soon" if waited >= QUICK else ""  # type: ignore[attr-defined]


def write_key(key: Key | None) -> str:
    if key is None:
        return ""
    raw = json.dumps([key[0], key[1].isoformat(), key[2]]).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_key(text: str) -> Key | None:
    """None for anything that we did not write: a bad key shows the first page."""
    try:
        rank, at, pk = json.loads(base64.urlsafe_b64decode(text[:200] + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(at)
        if not isinstance(rank, int) or not isinstance(pk, int) or pk > 2**62 or moment.tzinfo is None:
            return None
        return rank, moment.astimezone(UTC), pk
    except (ValueError, TypeError, OverflowError):
        return None


def _found(request: HttpRequest, pk: int) -> Reply:
    reply = queries.reply_of(pk, actor(request))
    if reply is None:
        raise Http404
    return reply


@needs("answer_replies")
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: what was written, and the form (`?quick=` begins with that answer); POST: send it back."""
    reply, by = _found(request, pk), actor(request)
    people = reply.people  # type: ignore[attr-defined]
    with override((people[0].language if people else "") or settings.LANGUAGE_CODE):
        quick = [str(text) for text in QUICK_ANSWERS]
    chosen = request.GET.get("quick", "")
    begin = quick[int(chosen)] if chosen.isascii() and chosen.isdigit() and int(chosen) < len(quick) else ""
    mark([reply], timezone.now())
    form = AnswerForm(request.POST or None, people=people, initial={"text": begin})
    if request.method == "POST" and form.is_valid():
        try:
            told = form.cleaned_data
            actions.answer_reply(reply=reply, patient=told["patient"], text=told["text"], by=by, now=timezone.now())
            messages.success(request, _("The answer is on its way."))
        except actions.AlreadyAnswered:
            messages.warning(request, _("A colleague has answered already."))
        return see_other(reverse("messaging:inbox"))
    context = {
        "reply": reply,
        "people": people,
        "form": form,
        "quick": list(enumerate(quick)),
        "earlier": queries.earlier(reply, by),
        "may_see_contacts": by.may("see_contacts"),
        "may_see_card": by.may("see_card"),
        "may_book": by.may("book_visits"),
        "may_suppress": by.may("suppress_addresses"),
    }
    visit = reply.answers.visit if reply.answers else None
    with timezone.override(zone(visit.branch.tz if visit else desk_tz(by))):
        return render(request, "messaging/answer.html", context, status=422 if form.errors else 200)


@needs("answer_replies")
@require_POST
def handled(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        actions.close_reply(reply=_found(request, pk), by=actor(request), now=timezone.now())
        messages.success(request, _("Done."))
    except actions.AlreadyAnswered:
        messages.warning(request, _("A colleague has answered already."))
    return see_other(reverse("messaging:inbox"))


@needs("suppress_addresses")
@require_POST
def wrong_number(request: HttpRequest, pk: int) -> HttpResponse:
    """A stranger answers from there: nothing goes to that address any more."""
    try:
        actions.wrong_number(reply=_found(request, pk), by=actor(request), now=timezone.now())
        messages.success(request, _("Nothing goes to this address any more; its owners stand in the work list."))
    except actions.AlreadyAnswered:
        messages.warning(request, _("A colleague has answered already."))
    return see_other(reverse("messaging:inbox"))
