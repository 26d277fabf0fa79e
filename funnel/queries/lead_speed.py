"""How fast enquiries are answered, by who answered and by channel (R95)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, QuerySet

from funnel.models import Lead
from funnel.queries.scope import visible_leads
from funnel.rules.hours import LATE_SECONDS, SOON_SECONDS
from staff.access import Actor

MOST = 200  # lines of a table


@dataclass(frozen=True)
class Speed:
    """`name`: of the person or channel, "" for none. `asked`: enquiries; `answered` of them; `soon`, `late`: answered
    within 60 and 120 seconds."""

    name: str
    asked: int
    answered: int
    soon: int
    late: int

    @property
    def share_soon(self) -> float | None:
        return self.soon / self.asked if self.asked else None

    @property
    def share_late(self) -> float | None:
        return self.late / self.asked if self.asked else None


def speeds(*, by: Actor, start: datetime, end: datetime, column: str) -> list[Speed]:
    """Enquiries that came in [start, end), further ones too, spam not. `column`: first_response_by__full_name or
    channel__name. Shares are of all that came; whom nobody answered stands under no operator. One query."""
    rows = _asked(by, start, end).order_by().values_list(column).annotate(**_counts())
    found = rows.order_by(F("asked").desc(), column)[:MOST]
    return [Speed(name or "", asked, answered, soon, late) for name, asked, answered, soon, late in found]


def _asked(by: Actor, start: datetime, end: datetime) -> QuerySet[Lead]:
    return visible_leads(by).filter(created_at__gte=start, created_at__lt=end, is_spam=False)


def _counts() -> dict[str, Count]:
    within = {
        name: Q(first_response_at__lte=F("created_at") + timedelta(seconds=seconds))
        for name, seconds in (("soon", SOON_SECONDS), ("late", LATE_SECONDS))
    }
    return {
        "asked": Count("id"),
        "answered": Count("id", filter=Q(first_response_at__isnull=False)),
        **{name: Count("id", filter=condition) for name, condition in within.items()},
    }
