"""The contact policy in numbers: budgets of contacts, and the value that it answers with (R122, R123; beyond.md 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FRESH = timedelta(days=30)  # a refusal of advertising on one transport silences all of it for so long
LONGEST = timedelta(days=92)  # of a period, and of a gap between two promotions
LOOK_AGAIN = timedelta(minutes=10)  # when a more important message of the same patient takes the last contact
MOST_COUNTED = 100  # contacts of a period; no budget is larger


class Word(StrEnum):
    SEND = "send"
    HOLD = "hold"
    SKIP = "skip"


@dataclass(frozen=True)
class Answer:
    """May this go out? `reason`: a code of `Reason`, "" where it may. `until`: of a hold, UTC. `consent`: the id of the
    line that it stands on. `cap_used`: which contact of the period it is; `cap`: how many there are (None = no limit)."""

    word: Word
    reason: str = ""
    until: datetime | None = None
    basis: str = ""
    consent: int | None = None
    cap_used: int | None = None
    cap: int | None = None

    def __bool__(self) -> bool:
        return self.word is Word.SEND


@dataclass(frozen=True)
class Limits:
    """A patient's budget: `contacts` in any `days` days, of them `promotions` advertisements, `gap` between two."""

    days: int = 7
    contacts: int = 5
    promotions: int = 1
    gap: timedelta = timedelta(hours=48)

    @property
    def period(self) -> timedelta:
        return timedelta(days=self.days)


@dataclass(frozen=True)
class Contact:
    """One message that went out or is about to, or one call."""

    at: datetime
    advertises: bool


@dataclass(frozen=True)
class Ration:
    """`used`: contacts of the period, this one included; `until`: when it may go, None = now; `never`: its budget has no
    room for such a message at all."""

    used: int
    cap: int | None
    until: datetime | None = None
    never: bool = False


def ration(
    *, now: datetime, limits: Limits, past: Sequence[Contact], reserved: int, advertises: bool, capped: bool
) -> Ration:
    """What the budget says to one more contact now. `past`: contacts so far, in any order. `reserved`: more important
    messages of this patient that wait for their turn. What is not `capped` always goes, and counts."""
    since = now - limits.period
    if not capped:
        return Ration(1 + sum(contact.at > since for contact in past), None)
    recent = sorted(contact.at for contact in past if contact.at > since)
    used = len(recent) + 1
    if limits.contacts == 0 or (advertises and limits.promotions == 0):
        return Ration(used, limits.contacts, never=True)
    waits = [_frees(recent, limits.contacts, limits.period)]
    if advertises:
        shown = sorted(contact.at for contact in past if contact.advertises)
        waits.append(_frees([at for at in shown if at > since], limits.promotions, limits.period))
        waits += [at + limits.gap for at in shown[-1:] if at + limits.gap > now]
    if len(recent) < limits.contacts <= len(recent) + reserved:
        waits.append(now + LOOK_AGAIN)
    return Ration(used, limits.contacts, max((at for at in waits if at is not None), default=None))


def _frees(recent: list[datetime], cap: int, period: timedelta) -> datetime | None:
    """When fewer than `cap` of these (ascending) are left in the period; None = already."""
    return recent[len(recent) - cap] + period if len(recent) >= cap else None
