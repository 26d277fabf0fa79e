"""Which channel an enquiry came from: one read of the rules that could fit it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Protocol

from django.db.models import Q

from core.phones import BadPhone, parse_phone
from funnel.models import ChannelMark
from funnel.rules.attribution import Mark, channel_id_of, signs_of
from patients.models import Channel
from staff.models import Branch


class Signed(Protocol):
    """What of an enquiry tells where it came from (`funnel.actions.incoming.Enquiry`)."""

    @property
    def promo_code(self) -> str: ...
    @property
    def called_number(self) -> str: ...
    @property
    def utm(self) -> Mapping[str, str]: ...
    @property
    def referrer(self) -> str: ...
    @property
    def branch(self) -> Branch | None: ...


def channel_of(enquiry: Signed) -> Channel | None:
    """The channel by the surest rule that fits (`funnel.rules.attribution`); None where nothing is known. At most 2 reads."""
    signs = signs_of(
        promo=enquiry.promo_code,
        number=number_of(enquiry.called_number, enquiry.branch),
        utm=enquiry.utm,
        referrer=enquiry.referrer,
    )
    kind = ChannelMark.Kind
    may_fit = [
        (kind.PROMO, [signs.promo]),
        (kind.NUMBER, [signs.number]),
        (kind.UTM, [signs.source]),
        (kind.REFERRER, signs.sites),
    ]
    rules = [Q(kind=one, value__in=known) for one, values in may_fit if (known := [value for value in values if value])]
    if not rules:
        return None
    rows = ChannelMark.objects.filter(reduce(or_, rules)).values_list(
        "kind", "value", "channel_id", "medium", "campaign"
    )
    found = channel_id_of([Mark(*row) for row in rows], signs)
    return None if found is None else Channel.objects.get(pk=found)


def number_of(text: str, branch: Branch | None = None) -> str:
    """A dialled number as rules keep it: E.164; "" for what is no number."""
    try:
        return parse_phone(text, branch.phone_region if branch is not None else "RU").number if text.strip() else ""
    except BadPhone:
        return ""
