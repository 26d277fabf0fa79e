"""What reception does: the facts of `patients` and what follows from them, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from followup.actions import follow_up
from funnel.actions.desk import accept_alternatives
from funnel.actions.handoff import HandReport, open_relay, settle_relay
from funnel.actions.incoming import answer_lead, link_visit
from funnel.models import Lead
from patients import actions as patients
from patients.models import Patient, Visit
from staff import actions as staff
from staff.access import Actor

Answer = TypeVar("Answer")


def _follow(visit: Visit, now: datetime) -> Visit:
    """One visit is a set of one: its next booking, if it brought one, goes the same way."""
    ids = [visit.pk] if visit.next_visit_id is None else [visit.pk, visit.next_visit_id]
    follow_up(Visit.objects.filter(pk__in=ids), now=now)
    return visit


@staff.one_deed()
def followed(
    work: Callable[..., Answer], touched: Callable[[Answer], list[int]], /, *, now: datetime, **call: Any
) -> Answer:
    """`work(now=…, …)` and what follows from the visits that `touched` finds in its answer. Raises what work raises."""
    answer = work(now=now, **call)
    ids = touched(answer)
    if ids:
        follow_up(Visit.objects.filter(pk__in=ids), now=now)
    return answer


@staff.one_deed()
def log_visit(*, now: datetime, hand: HandReport | None = None, **facts: Any) -> Visit:
    """`patients.actions.log_visit`, what is said of the hand-off, and the follow-up. Raises what it raises."""
    visit = patients.log_visit(now=now, **facts)
    settle_relay(visit=visit, report=hand or HandReport(), by=facts["by"], now=now)
    return _follow(visit, now)


@staff.one_deed()
def log_walk_in(*, now: datetime, hand: HandReport | None = None, **facts: Any) -> Visit:
    """`patients.actions.log_walk_in`, what is said of the hand-off, and the follow-up. Raises what it raises."""
    visit = patients.log_walk_in(now=now, **facts)
    settle_relay(visit=visit, report=hand or HandReport(), by=facts["by"], now=now)
    return _follow(visit, now)


@staff.one_deed()
def book_visit(*, by: Actor, now: datetime, lead: Lead | None = None, **facts: Any) -> Visit:
    """`patients.actions.book_visit` and the follow-up (the confirmation leaves). Raises what it raises.

    `lead`: the enquiry because of which it is booked; it is answered by that, and an offer that still waits has saved it.
    """
    visit = patients.book_visit(by=by, now=now, **facts)
    if lead is not None:
        answer_lead(lead=lead, by=by, now=now)
        link_visit(lead=lead, visit=visit, by=by, now=now)
        accept_alternatives(lead=lead, by=by, now=now)
    return _follow(visit, now)


@staff.one_deed()
def move_visit(*, now: datetime, **facts: Any) -> Visit:
    """`patients.actions.move_visit` and the follow-up (reminders of the new time). Raises what it raises."""
    return _follow(patients.move_visit(now=now, **facts), now)


@staff.one_deed()
def change_visit(*, verb: str, visit: Visit, by: Actor, now: datetime) -> Visit:
    """One of the one-key moves: confirm, arrive, no_show, reopen. Raises MoveNotAllowed, SlotTaken, KeyError.

    Whoever arrives is handed to the doctor, where his speciality has a chain (R49).
    """
    changed = VERBS[verb](visit=visit, by=by, now=now)
    if verb == "arrive":
        open_relay(visit=changed, by=by, now=now)
    return _follow(changed, now)


VERBS = {
    "confirm": patients.confirm_visit,
    "arrive": patients.arrive,
    "no_show": patients.mark_no_show,
    "reopen": patients.reopen_visit,
}


@staff.one_deed()
def cancel_visit(*, now: datetime, **facts: Any) -> Visit:
    """`patients.actions.cancel_visit` and the follow-up. Raises MoveNotAllowed."""
    return _follow(patients.cancel_visit(now=now, **facts), now)


def card_opened(*, patient: Patient, fields: Iterable[str], by: Actor, now: datetime) -> None:
    """Every opening of a card is logged: who saw which fields of whom, when and from where (152-FZ)."""
    staff.record(
        by=by,
        deed="see_card",
        now=now,
        object_kind="patient",
        object_id=patient.pk,
        patient_id=patient.pk,
        fields=fields,
    )
