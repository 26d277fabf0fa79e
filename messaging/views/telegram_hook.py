"""`POST /api/v1/hooks/telegram/`: updates of the bot, with the secret that only Telegram and we know in a header.

What a stranger writes is answered in the answer to the call itself and kept nowhere: anybody can write to a bot.
"""

from __future__ import annotations

import json
from datetime import datetime
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from messaging import actions
from messaging.queries.asked import owners_of
from messaging.rules.updates import Update, read_update
from messaging.transports.telegram import provider_id
from messaging.views.hooks import problem, too_long
from staff.access import Actor, public

THE_CHAT = Actor(kind="system", id=None, name="telegram chat")


@public
@csrf_exempt
@require_POST
def telegram(request: HttpRequest) -> JsonResponse:
    """200 for all that is from Telegram, or it would come again and again; 403 for whoever else writes."""
    secret, given = settings.TELEGRAM_WEBHOOK_SECRET, request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
    if not secret or not compare_digest(given.encode(), secret.encode()):
        return problem(403, "bad secret")
    if too_long(request):
        return problem(413, "too long")
    try:
        update = read_update(json.loads(request.body))
    except (ValueError, RecursionError):
        return problem(400, "not an update")
    answer = _taken(update, timezone.now()) if update is not None else ""
    if update is None or not answer:
        return JsonResponse({"ok": True})
    return JsonResponse({"method": "sendMessage", "chat_id": update.chat_id, "text": answer})


def _taken(update: Update, now: datetime) -> str:
    """What to say at once, '' = nothing: what goes to a patient goes through the outbox."""
    if update.blocked:
        actions.let_go(chat_id=update.chat_id, by=THE_CHAT, now=now, blocked=True)
        return ""
    owners = owners_of("telegram", str(update.chat_id))
    with override((owners[0].language if owners else "") or settings.LANGUAGE_CODE):
        if update.command == "start" and update.argument:
            return _start(update, now)
        if update.command == "stop":
            stopped = actions.let_go(chat_id=update.chat_id, by=THE_CHAT, now=now)
            return _("No more messages will come here. To link the chat again, ask at reception.") if stopped else ""
        if not owners:
            return _("This chat is not linked. Ask the reception of the clinic for your personal link.")
    if update.command != "start":
        _reply(update, now)
    return ""


def _start(update: Update, now: datetime) -> str:
    try:
        actions.link_chat(code=update.argument, chat_id=update.chat_id, by=THE_CHAT, now=now)
    except actions.BadCode:
        return _("This link has been used or is too old. Ask the reception of the clinic for a new one.")
    return ""


def _reply(update: Update, now: datetime) -> None:
    hint: Any = None if update.quotes is None else provider_id(update.chat_id, update.quotes)
    actions.take_reply(
        transport="telegram",
        event_id=str(update.id),
        address=str(update.chat_id),
        text=update.text,
        received_at=update.at,
        now=now,
        answers_hint=hint,
    )
