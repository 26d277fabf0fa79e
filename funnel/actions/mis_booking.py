"""Bookings to the MIS: each is sent until it is accepted or refused, and again when it is moved or cancelled.

Never with a flag that writes into busy time: what the MIS refuses becomes a work item for a person.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import override

from funnel.http.booking import MisAnswer, post_booking
from funnel.models import MisBooking
from funnel.queries.mis_booking import CHANGED, JOINED, MOST_TRIES, is_told, made_here, mis_row, phones_of
from messaging.rules import backoff
from patients import actions as patients
from patients.models import WorkItem
from staff import actions as staff
from staff.access import SYSTEM, Actor

State = MisBooking.State
BATCH, LEASE = 20, timedelta(minutes=5)
ANSWERS = (State.SENT.value, State.ACCEPTED.value, State.REFUSED.value)


class StaleAnswer(Exception):
    """The booking has changed since: the answer is about a version that is no more."""


@transaction.atomic
def collect_bookings(*, now: datetime) -> int:
    """New bookings join; those that say something else than what the MIS was told are due again. Four statements.

    Nothing joins where there is no MIS to tell: a desk without one is shown no state that never comes.
    """
    if not is_told():
        return 0
    known = MisBooking.objects.values("visit")
    new = made_here(now).exclude(pk__in=known).values_list("pk", flat=True)[:5000]
    made = MisBooking.objects.bulk_create(
        [MisBooking(visit_id=pk, next_try_at=now, changed_at=now) for pk in new], ignore_conflicts=True
    )
    changed = MisBooking.objects.filter(CHANGED, visit__start_at__gt=now).values("pk")
    again = (
        MisBooking.objects.filter(pk__in=changed)
        .exclude(state=State.WAITING)
        .update(state=State.WAITING, version=F("version") + 1, reason="", tries=0, next_try_at=now, changed_at=now)
    )
    return len(made) + again


def send_bookings(*, now: datetime) -> int:
    """Hand over what is due, by the webhook. Returns the number of calls.

    Not one transaction: the lease is committed before the call, the answer after it, so that a worker that dies leaves a
    booking to be sent again under the same Idempotency-Key.
    """
    if not settings.BOOKING_WEBHOOK_URL:
        return 0
    rows = _leased(now)
    phones = phones_of(rows)
    for row in rows:
        body = mis_row(row, phones.get(row.visit.patient_id, ""))
        url, secret = settings.BOOKING_WEBHOOK_URL, settings.BOOKING_WEBHOOK_SECRET
        _note(row, post_booking(url=url, secret=secret, body=body, now=now), now)
    return len(rows)


@transaction.atomic
def _leased(now: datetime) -> list[MisBooking]:
    due = MisBooking.objects.filter(state=State.WAITING, next_try_at__lte=now).order_by("next_try_at", "pk")
    ids = list(due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:BATCH])
    MisBooking.objects.filter(pk__in=ids).update(next_try_at=now + LEASE, tries=F("tries") + 1)
    return list(MisBooking.objects.filter(pk__in=ids).select_related(*JOINED))


def _note(row: MisBooking, answer: MisAnswer, now: datetime) -> None:
    if answer.state:
        _write(row, answer, SYSTEM, now)
        return
    given_up = row.tries >= MOST_TRIES
    later = None if given_up else now + backoff.wait(min(row.tries, backoff.MOST_ATTEMPTS), None)
    MisBooking.objects.filter(pk=row.pk, version=row.version).update(reason=answer.reason[:300], next_try_at=later)
    if given_up:
        _for_a_person(row, answer.reason, SYSTEM, now)


@transaction.atomic
def _write(row: MisBooking, answer: MisAnswer, by: Actor, now: datetime) -> None:
    MisBooking.objects.filter(pk=row.pk, version=row.version).update(
        state=answer.state,
        reason=answer.reason[:300],
        mis_id=answer.mis_id or row.mis_id,
        next_try_at=None,
        sent_start_at=row.visit.start_at,
        sent_doctor=row.visit.doctor_id,
        sent_status=row.visit.status,
        sent_at=F("sent_at") if row.sent_at else now,
        answered_at=now if answer.state != State.SENT else None,
    )
    if answer.state == State.REFUSED:
        _for_a_person(row, answer.reason, by, now)


def _for_a_person(row: MisBooking, reason: str, by: Actor, now: datetime) -> None:
    with override(settings.LANGUAGE_CODE):
        note = _("The MIS did not take this booking: %(reason)s") % {"reason": reason or "?"}
    patients.open_work_item(
        kind=WorkItem.Kind.OTHER,
        due_at=now,
        patient=row.visit.patient,
        visit=row.visit,
        note=note,
        dedupe_key=f"mis_booking:{row.visit_id}:{row.version}:{row.tries}",
        by=by,
        now=now,
    )


@transaction.atomic
def answer_booking(
    *, row: MisBooking, version: int, state: str, reason: str, mis_id: str, by: Actor, now: datetime
) -> MisBooking:
    """What the MIS that fetches bookings by itself says of one. `state`: sent, accepted, refused. The same answer again
    changes nothing. Raises StaleAnswer."""
    current = MisBooking.objects.select_for_update(of=("self",)).select_related(*JOINED).get(pk=row.pk)
    if current.version != version:
        raise StaleAnswer
    if (current.state, current.mis_id, current.reason) != (state, mis_id, reason):
        _write(current, MisAnswer(state, reason, mis_id), by, now)
    return MisBooking.objects.get(pk=row.pk)


@staff.one_deed()
def resend_booking(*, row: MisBooking, by: Actor, now: datetime) -> None:
    """A person wants it sent once more, as a new version."""
    MisBooking.objects.filter(pk=row.pk).update(
        state=State.WAITING, version=F("version") + 1, tries=0, reason="", next_try_at=now, changed_at=now
    )
    staff.record(by=by, deed="resend_booking", now=now, object_kind="visit", object_id=row.visit_id)
