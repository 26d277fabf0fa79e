"""Which channel an enquiry came from (metrics.md "Attribution"): the first sign that is known, the surest kind first.

Promo code, then the number that was dialled, then UTM tags (the most exact rule wins), then the site that the visitor
came from. Spaces and case do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from core.names import folded

PROMO, NUMBER, UTM, REFERRER = "promo", "number", "utm", "referrer"
LONGEST = 120  # of a mark's value


@dataclass(frozen=True)
class Mark:
    """A rule: `value` (with `medium` and `campaign`, "" = any) means the channel. All folded; a number is E.164."""

    kind: str
    value: str
    channel_id: int
    medium: str = ""
    campaign: str = ""


@dataclass(frozen=True)
class Signs:
    """What an enquiry shows, folded. `sites`: the referrer's host and the domains above it, the longest first."""

    promo: str = ""
    number: str = ""
    source: str = ""
    medium: str = ""
    campaign: str = ""
    sites: tuple[str, ...] = field(default=())


def signs_of(*, promo: str, number: str, utm: Mapping[str, str], referrer: str) -> Signs:
    """The signs of an enquiry as they are compared. `number` is E.164 already; `referrer` an address or a bare host."""
    tags = {name: mark_text(utm.get(name) or "") for name in ("source", "medium", "campaign")}
    return Signs(promo=mark_text(promo), number=number.strip(), sites=sites_of(referrer), **tags)


def mark_text(text: object) -> str:
    """A promo code or a tag as it is compared."""
    return folded(str(text)[: LONGEST * 4])[:LONGEST]


def sites_of(address: str) -> tuple[str, ...]:
    """'https://www.maps.example.ru/x' -> ('maps.example.ru', 'example.ru'); () for what is no address."""
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return ()
    labels = host.removeprefix("www.").strip(".").split(".")
    return tuple(".".join(labels[start:])[:LONGEST] for start in range(max(len(labels) - 1, 0)))


def channel_id_of(marks: Iterable[Mark], signs: Signs) -> int | None:
    """The channel of the surest rule that fits; None where none does. The order of `marks` does not matter."""
    fitting = [mark for mark in marks if _fits(mark, signs)]
    return max(fitting, key=_sureness).channel_id if fitting else None


def _fits(mark: Mark, signs: Signs) -> bool:
    if mark.kind == UTM:
        return (
            mark.value == signs.source != ""
            and mark.medium in ("", signs.medium)
            and mark.campaign in ("", signs.campaign)
        )
    if mark.kind == REFERRER:
        return mark.value in signs.sites
    return bool(mark.value) and mark.value == (signs.promo if mark.kind == PROMO else signs.number)


def _sureness(mark: Mark) -> tuple[int, int, bool, int, int]:
    """Kind; then how many tags the rule names (a campaign says more than a medium), or how exact the site is.

    The id settles nothing that can happen (a rule stands once), it only makes the answer the same every time.
    """
    kinds = (REFERRER, UTM, NUMBER, PROMO)
    named = bool(mark.medium) + bool(mark.campaign)
    return kinds.index(mark.kind), named, bool(mark.campaign), len(mark.value), -mark.channel_id
