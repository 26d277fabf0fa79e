"""The breaker of each transport: closed, open (nothing is sent), half open (one small batch tries).

It stands in `TransportSetting`: `broken_at` empty = closed, and then `broken_until` is when it closed last. Nothing is
lost while it is open: the rows wait, and expire when they no longer make sense.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from messaging.actions.alarm import tell_managers
from messaging.models import Message, TransportMinute, TransportSetting
from messaging.models.outbox import Reason
from messaging.rules import breaker
from messaging.transports.base import Outcome, Result
from patients.models.person import Transport

ADD = """INSERT INTO messaging_transportminute (transport, minute, tries, faults) VALUES (%s, %s, %s, %s)
ON CONFLICT (transport, minute) DO UPDATE SET tries = messaging_transportminute.tries + excluded.tries,
    faults = messaging_transportminute.faults + excluded.faults"""
ALARM_SUBJECT = _("%(transport)s: sending rests")
ALARM = _(
    "%(transport)s: %(faults)s of the last %(tries)s tries failed, so sending on it rests. It tries again by itself."
    " What is due waits; nothing is lost."
)


def allowance(*, transport: str, most: int, now: datetime) -> int:
    """How many messages may be handed over now: `most`, a handful while half open, 0 while open.

    Half open, exactly one caller gets the handful; should he die, the next may try once his lease is over.
    """
    states = TransportSetting.objects.filter(transport=transport).exclude(broken_at=None)
    until = states.values_list("broken_until", flat=True).first()
    if until is None:
        return most
    if until > now:
        Message.objects.due(now).filter(transport=transport).exclude(reason=Reason.BREAKER).update(
            reason=Reason.BREAKER
        )
        return 0
    lease = timedelta(seconds=settings.SENDING_LEASE_SECONDS)
    mine = states.filter(broken_until=until).update(broken_until=now + lease)
    return min(most, breaker.PROBE) if mine else 0


@transaction.atomic
def count_tries(*, transport: str, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write down how a batch went, and open or close the breaker by it. Called with the outcomes, in their transaction."""
    tried = [outcome for outcome in outcomes if outcome.result is not Result.NOT_TRIED]
    if not tried:
        return
    faults = sum(map(breaker.is_fault, tried))
    minute = now.replace(second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(ADD, [transport, connection.ops.adapt_datetimefield_value(minute), len(tried), faults])
    state = TransportSetting.objects.filter(transport=transport).first()
    if state is not None and state.broken_at is not None:
        _probed(state, breaker.is_well(len(tried), faults), now)
    elif faults:
        _look(transport, state.broken_until if state else None, now)


def _probed(state: TransportSetting, well: bool, now: datetime) -> None:
    """Well: closed, and due rows go at once. Not: it rests longer."""
    if state.broken_at is None:
        return
    if well:
        changes = {"broken_at": None, "broken_until": now}
    else:
        changes = {"broken_until": now + breaker.rest(now - state.broken_at)}
    TransportSetting.objects.filter(pk=state.pk, broken_at=state.broken_at).update(**changes)


def _look(transport: str, closed_at: datetime | None, now: datetime) -> None:
    """Open it when the last minutes were bad; those before it closed last do not count again."""
    since = max(now - breaker.WINDOW, closed_at or now - breaker.WINDOW)
    lately = TransportMinute.objects.filter(transport=transport, minute__gt=since).aggregate(
        tries=Sum("tries"), faults=Sum("faults")
    )
    tries, faults = lately["tries"] or 0, lately["faults"] or 0
    if not breaker.is_too_much(tries, faults):
        return
    TransportSetting.objects.get_or_create(transport=transport, defaults={"updated_at": now})
    opened = TransportSetting.objects.filter(transport=transport, broken_at=None)
    if opened.update(broken_at=now, broken_until=now + breaker.FIRST_REST):
        tell_managers(
            key=f"breaker:{transport}:{int(now.timestamp())}",
            subject=ALARM_SUBJECT,
            text=ALARM,
            values={"transport": Transport(transport).label, "tries": tries, "faults": faults},
            now=now,
            without=transport,
        )


def forget_tries(*, now: datetime) -> None:
    """Of more than two days ago."""
    TransportMinute.objects.filter(minute__lt=now - breaker.KEPT).delete()
