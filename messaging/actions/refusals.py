"""What a refusal says about the address: blocked, or no such one. The address is closed, a Telegram chat let go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from messaging.actions.policy import same_address
from messaging.models import Message, Suppression, TelegramChat
from messaging.models.outbox import Reason
from messaging.transports.base import Outcome, Result
from staff import actions as staff
from staff.access import SYSTEM

CLOSES = {Reason.BLOCKED: Suppression.Kind.BLOCKED, Reason.BOUNCED: Suppression.Kind.BOUNCED}


def close_addresses(*, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Within the transaction that writes the outcomes down. At most four statements, whatever the number of refusals."""
    refused = {o.letter.id: CLOSES[Reason(o.reason)] for o in outcomes if _closes(o)}
    if not refused:
        return
    rows = list(Message.objects.filter(pk__in=refused).values_list("pk", "transport", "address"))
    Suppression.objects.bulk_create(
        [
            Suppression(
                transport=transport, address=same_address(address), kind=refused[pk], since=now, detail=f"message {pk}"
            )
            for pk, transport, address in rows
        ],
        ignore_conflicts=True,
    )
    chats = [int(address) for _pk, transport, address in rows if transport == "telegram" and address]
    if chats:
        TelegramChat.objects.filter(chat_id__in=chats, unlinked_at=None).update(unlinked_at=now)
    note = f"set: refused by the provider, {len(rows)}"
    staff.record(by=SYSTEM, deed="suppress_addresses", now=now, object_kind="suppression", note=note)


def _closes(outcome: Outcome) -> bool:
    return outcome.result is Result.REFUSED and outcome.reason in CLOSES
