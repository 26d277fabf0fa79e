"""What people do with the outbox: switches, and a decision about a message whose outcome nobody knows."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from messaging.models import Message, TransportSetting
from messaging.models.outbox import Reason, State
from staff import actions as staff
from staff.access import Actor
from staff.models import Clinic


class AlreadyResolved(Exception):
    """The message is no longer unknown: somebody, or the provider, was quicker."""


@transaction.atomic
def pause_sending(*, paused: bool, by: Actor, now: datetime) -> None:
    """The one switch for everything. Once this returns, not one more message is claimed or marked."""
    Clinic.objects.filter(pk=1).update(sending_paused=paused)
    staff.record(by=by, deed="pause_sending", now=now, object_kind="clinic", object_id=1, note=_word(paused))


@transaction.atomic
def pause_transport(*, transport: str, paused: bool, by: Actor, now: datetime) -> None:
    TransportSetting.objects.update_or_create(transport=transport, defaults={"paused": paused, "updated_at": now})
    staff.record(by=by, deed="pause_sending", now=now, object_kind="transport", note=f"{transport}: {_word(paused)}")


@transaction.atomic
def set_transport(
    *,
    transport: str,
    position: int,
    price: int,
    for_adverts: bool,
    for_service: bool,
    note: str,
    fallback_minutes: int | None,
    by: Actor,
    now: datetime,
) -> None:
    """What a person decides about a transport; holds for what is queued already, for it is asked when it is sent."""
    fields = {
        "position": position,
        "price": price,
        "for_adverts": for_adverts,
        "for_service": for_service,
        "note": note,
        "fallback_minutes": fallback_minutes,
    }
    TransportSetting.objects.update_or_create(transport=transport, defaults={**fields, "updated_at": now})
    staff.record(
        by=by,
        deed="set_transports",
        now=now,
        object_kind="transport",
        fields=sorted(fields),
        note=f"{transport}: {note}",
    )


def _word(paused: bool) -> str:
    return "paused" if paused else "resumed"


@transaction.atomic
def resolve_unknown(*, message: Message, sent: bool, by: Actor, now: datetime) -> None:
    """A person decides: it did go out, or it is to be queued again (and only then may a double happen).

    Raises AlreadyResolved.
    """
    changes: dict[str, object] = {"state": State.SENT, "sent_at": message.first_tried_at or now}
    if not sent:
        changes = {"state": State.QUEUED, "not_before": now}
    changed = Message.objects.filter(pk=message.pk, state=State.UNKNOWN).update(
        **changes,
        reason=Reason.BY_PERSON,
        next_check_at=None,
        unsure_at=None,
        resolved_by_id=by.id if by.kind == "user" else None,
    )
    if not changed:
        raise AlreadyResolved
    staff.record(
        by=by,
        deed="resolve_messages",
        now=now,
        object_kind="message",
        object_id=message.pk,
        patient_id=message.patient_id,
        note="marked as sent" if sent else "queued again",
    )
