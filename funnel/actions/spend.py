"""Spend: as other systems send it, and entered by hand."""

from __future__ import annotations

from datetime import date, datetime

from django.db import IntegrityError, transaction

from funnel.models import Spend
from patients.models import Channel
from staff.access import Actor
from staff.actions import note_changes, record
from staff.actions.intake import Field, Ref, Resource, plain
from staff.actions.intake.parsers import choice, code, day, money_from_zero
from staff.actions.journal import ChangedRow


class AlreadyTakenBack(Exception):
    """The line was taken back before; a reversal itself cannot be taken back."""


SPEND = Resource(
    name="spend",
    model=Spend,
    keys=(
        Ref("channel_id", "channel_id", "channel", Channel),
        Field("campaign_id", code, "campaign_code"),
        Field("date", day, "date", required=True),
        Field("amount", money_from_zero, "amount", required=True),
        Field("purpose", choice(Spend.Purpose.values), "purpose", required=True),
    ),
)

record_spend = plain(SPEND)


@transaction.atomic
def add_spend(
    *, day: date, channel: Channel | None, purpose: str, amount: int, note: str = "", by: Actor, now: datetime
) -> Spend:
    """One line by hand; `amount` in minor units, above zero. `day` is a local date of the clinic."""
    return _written(Spend(date=day, channel=channel, purpose=purpose, amount=amount, note=note), by, now, "add_spend")


@transaction.atomic
def take_back_spend(*, spend: Spend, by: Actor, now: datetime) -> Spend:
    """A line of the same day, channel and purpose with the amount below zero. Raises AlreadyTakenBack.

    A unique key on `reversal_of` settles the race of two clicks.
    """
    if spend.reversal_of_id is not None:
        raise AlreadyTakenBack
    reversal = Spend(
        date=spend.date,
        channel_id=spend.channel_id,
        purpose=spend.purpose,
        campaign_code=spend.campaign_code,
        amount=-spend.amount,
        reversal_of=spend,
    )
    try:
        with transaction.atomic():
            reversal.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyTakenBack from error
    return _noted(reversal, by, now, "take_back_spend")


def _written(spend: Spend, by: Actor, now: datetime, deed: str) -> Spend:
    spend.save(force_insert=True)
    return _noted(spend, by, now, deed)


def _noted(spend: Spend, by: Actor, now: datetime, deed: str) -> Spend:
    row = ChangedRow(object_id=spend.pk, source_code=spend.source.code, external_id=spend.external_id)
    note_changes(resource="spend", rows=[row], now=now)
    record(
        by=by,
        deed=deed,
        now=now,
        object_kind="spend",
        object_id=spend.pk,
        fields=("amount", "channel", "date", "purpose"),
    )
    return spend
