"""The signs by which an enquiry is known to come from a channel (`ChannelMark`)."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from funnel.models import ChannelMark
from funnel.queries.attribution import number_of
from funnel.rules.attribution import mark_text, sites_of
from patients.models import Channel
from staff.access import Actor
from staff.actions import record

Kind = ChannelMark.Kind


class BadMark(ValueError):
    """Nothing that an enquiry could bear: no number, no site, or empty."""


class MarkTaken(ValueError):
    """The same sign stands already; the text is the name of its channel."""


def folded_mark(kind: str, value: str) -> str:
    """The value as it is compared. Raises BadMark."""
    if kind == Kind.NUMBER:
        found = number_of(value)
    elif kind == Kind.REFERRER:
        found = next(iter(sites_of(value.strip())), "")
    else:
        found = mark_text(value)
    if not found:
        raise BadMark(value[:80])
    return found


@transaction.atomic
def add_mark(
    *, channel: Channel, kind: str, value: str, medium: str = "", campaign: str = "", by: Actor, now: datetime
) -> ChannelMark:
    """`medium` and `campaign` belong to a UTM tag only. Raises BadMark, MarkTaken.

    Leads that are there already keep their channel: the first touch is never attributed again.
    """
    tags = {"medium": mark_text(medium), "campaign": mark_text(campaign)} if kind == Kind.UTM else {}
    mark = ChannelMark(channel=channel, kind=kind, value=folded_mark(kind, value), **tags)
    try:
        with transaction.atomic():
            mark.save(force_insert=True)
    except IntegrityError as error:
        same = {name: getattr(mark, name) for name in ("kind", "value", "medium", "campaign")}
        raise MarkTaken(str(ChannelMark.objects.select_related("channel").get(**same).channel)) from error
    _noted("add_channel_mark", mark, by, now)
    return mark


@transaction.atomic
def remove_mark(*, mark: ChannelMark, by: Actor, now: datetime) -> None:
    """Enquiries that bear it have no channel by it from now on; a second time changes nothing."""
    if ChannelMark.objects.filter(pk=mark.pk).delete()[0]:
        _noted("remove_channel_mark", mark, by, now)


def _noted(deed: str, mark: ChannelMark, by: Actor, now: datetime) -> None:
    note = f"{mark.kind}: {mark.value} {mark.medium} {mark.campaign}".strip()[:200]
    record(by=by, deed=deed, now=now, object_kind="channel", object_id=mark.channel_id, note=note)
