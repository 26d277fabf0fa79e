from __future__ import annotations

from celery import shared_task

from funnel import actions
from funnel.actions import beats, call_poll, inbox, public, referrals
from messaging.queries.clock import database_now


@shared_task(name="funnel.tasks.book_ahead")
def book_ahead() -> None:
    """Once a TICK_SECONDS: freed times to those who wait, bookings to the MIS. Harmless when run twice."""
    actions.look_after_bookings(now=database_now())


@shared_task(name="funnel.tasks.escalate_leads")
def escalate_leads() -> None:
    """Once a TICK_SECONDS: enquiries that nobody answers, and leads that stand too long. Harmless when run twice."""
    beats.look_after_leads(now=database_now())


@shared_task(name="funnel.tasks.poll_calls")
def poll_calls() -> None:
    """Every minute: what telephony that is asked says of calls. Harmless when run twice."""
    call_poll.poll_lines(now=database_now())


@shared_task(name="funnel.tasks.gather_leads")
def gather_leads() -> None:
    """Every minute: strangers' messages become leads, consents of leads lines of the ledger. Harmless when run twice."""
    now = database_now()
    inbox.leads_from_inbox(now=now)
    public.consents_to_ledger(now=now)


@shared_task(name="funnel.tasks.remind_of_referrals")
def remind_of_referrals() -> None:
    """Every minute: referrals that are answered or ran out, reminders of the others. Harmless when run twice."""
    referrals.look_after_referrals(now=database_now())
