"""What the clock does for booking and for leads, every minute; each part stands on its own and can be run twice."""

from __future__ import annotations

from datetime import datetime

from funnel.actions.booking import forget_drafts
from funnel.actions.escalation import escalate_leads
from funnel.actions.mis_booking import collect_bookings, send_bookings
from funnel.actions.overdue import settle_lead_items, tell_overdue
from funnel.actions.waitlist import offer_freed
from messaging.actions.codes import forget_codes
from patients.actions.holds import forget_old_holds


def look_after_leads(*, now: datetime) -> int:
    """Returns the number of leads whose wait the managers were told of."""
    settle_lead_items(now=now)
    told = escalate_leads(now=now)
    tell_overdue(now=now)
    return told


def look_after_bookings(*, now: datetime) -> int:
    """Returns the number of freed times that were offered."""
    offered = offer_freed(now=now)
    forget_drafts(now=now)
    forget_codes(now=now)
    forget_old_holds(now=now)
    collect_bookings(now=now)
    send_bookings(now=now)
    return offered
