"""The waiting list: a time that frees up is offered in waves, and the first who takes it has it.

Nothing tells this room that a visit was cancelled: what is free now is read from the facts, every minute. So a time that
was filled by phone is not offered, whichever door filled it, and the claim looks once more under the doctor's lock.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import formats, translation

from core.clock import local_date, zone
from funnel.actions.booking import Unfinished, confirmed, enquiry_of, known_or_new
from funnel.actions.incoming import Enquiry, link_visit, take_lead
from funnel.models import BookingRules, Lead, OnlineBooking, SlotOffer, WaitlistEntry
from funnel.queries.booking import claim_path, slot_at
from funnel.queries.waitlist import MOST_WAITING, free_for, next_wave, past_offers, waiting
from funnel.rules.booking import OFFER_TEXT, Wish, said
from messaging.actions.wake import wake_on_commit
from messaging.models import Message
from messaging.queries.reached import Reach, reach_of
from messaging.rules.priority import priority_of
from patients import actions as patients
from patients.actions.booking import SlotTaken
from patients.models import Patient, Visit
from patients.models.contact import Purpose
from patients.queries.slots import Slot, nearest_free
from staff import actions as staff
from staff.access import Actor
from staff.models import Branch, Clinic, Doctor

State = WaitlistEntry.State
AUTOMATION = "waitlist_offer"


class OfferOver(Exception):
    """The offer is too old, or its time was taken by somebody else; he stays on the list."""


@transaction.atomic
def begin_wish(
    *, branch: Branch, doctor: Doctor | None, speciality: str, wish: Wish, minutes: int, address: str, now: datetime
) -> OnlineBooking:
    """A visitor wants to be told. Nothing is kept of him before his phone is confirmed."""
    return OnlineBooking.objects.create(
        token=secrets.token_urlsafe(24),
        branch=branch,
        doctor=doctor,
        wish={"speciality": speciality, "minutes": minutes, **_written(wish)},
        address=address[:64],
        created_at=now,
    )


def _written(wish: Wish) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in vars(wish).items()}


def _read(written: dict[str, Any]) -> Wish:
    times = [time.fromisoformat(written[name]) if written[name] else None for name in ("from_time", "to_time")]
    days = (date.fromisoformat(written["first_day"]), date.fromisoformat(written["last_day"]))
    return Wish(*days, written["days"], *times)


@staff.one_deed()
def finish_wish(*, booking: OnlineBooking, by: Actor, now: datetime) -> WaitlistEntry:
    """On the list, with the phone confirmed; once. Raises Unfinished."""
    row = confirmed(booking)
    if not row.wish or row.done_at is not None:
        raise Unfinished
    patient = known_or_new(booking=row, by=by, now=now)
    entry = add_to_waitlist(
        patient=patient,
        branch=row.branch,
        doctor=row.doctor,
        speciality=row.wish["speciality"],
        minutes=row.wish["minutes"],
        wish=_read(row.wish),
        by=by,
        now=now,
    )
    enquiry_of(booking=row, patient=patient, by=by, now=now)
    row.done_at = now
    row.save(update_fields=["done_at"])
    return entry


@transaction.atomic
def add_to_waitlist(
    *,
    patient: Patient,
    branch: Branch,
    doctor: Doctor | None,
    speciality: str,
    wish: Wish,
    by: Actor,
    now: datetime,
    minutes: int = 30,
) -> WaitlistEntry:
    """One more who waits; the same wish again is the same line."""
    entry, made = WaitlistEntry.objects.get_or_create(
        patient=patient,
        branch=branch,
        doctor=doctor,
        speciality="" if doctor else speciality,
        minutes=minutes,
        state=State.WAITING,
        first_day=wish.first_day,
        last_day=wish.last_day,
        days=wish.days,
        from_time=wish.from_time,
        to_time=wish.to_time,
        defaults={"created_at": now},
    )
    if made:
        _trace(entry, "join_waitlist", by, now)
    return entry


@transaction.atomic
def leave_waitlist(*, entry: WaitlistEntry, by: Actor, now: datetime) -> bool:
    """He waits no longer. False when he did not any more."""
    left = WaitlistEntry.objects.filter(pk=entry.pk, state=State.WAITING).update(state=State.LEFT, closed_at=now)
    if left:
        _trace(entry, "leave_waitlist", by, now)
    return bool(left)


def _trace(entry: WaitlistEntry, deed: str, by: Actor, now: datetime) -> None:
    staff.record(by=by, deed=deed, now=now, object_kind="waitlist", object_id=entry.pk, patient_id=entry.patient_id)


@transaction.atomic
def offer_freed(*, now: datetime) -> int:
    """Every minute: close what is over, then offer what is free to the next wave. Returns the number of offers.

    One at a time, by a lock on the rules: two ticks that meet do not offer the same twice.
    """
    BookingRules.objects.get_or_create(pk=1)
    rules = BookingRules.objects.select_for_update().get(pk=1)
    _close_old(now)
    entries = list(waiting().select_related("branch")[:MOST_WAITING])
    if not entries or not rules.is_open:
        return 0
    wave = next_wave(entries, free_for(entries, rules, now), past_offers(entries, now), rules, now)
    if wave:
        _tell(_offered(wave, rules, now), now)
    return len(wave)


def _close_old(now: datetime) -> None:
    """Unanswered offers, offers of times that are taken, people who have booked meanwhile, days that are over."""
    offers = SlotOffer.objects.filter(state=SlotOffer.State.OPEN)
    offers.filter(expires_at__lte=now).update(state=SlotOffer.State.EXPIRED, answered_at=now)
    held = Visit.objects.filter(doctor=OuterRef("doctor")).holding_slot()
    held = held.filter(start_at__lt=OuterRef("end_at"), end_at__gt=OuterRef("start_at"))
    offers.filter(Exists(held)).update(state=SlotOffer.State.LOST, answered_at=now)
    booked = Visit.objects.filter(patient=OuterRef("patient"), booked_at__gt=OuterRef("created_at")).holding_slot()
    wanted = Q(doctor=OuterRef("doctor")) | Q(doctor__speciality=OuterRef("speciality"))
    waiting().order_by().filter(Exists(booked.filter(wanted))).update(state=State.BOOKED, closed_at=now)
    today = local_date(now, str(Clinic.objects.values_list("tz", flat=True).get(pk=1)))
    waiting().order_by().filter(last_day__lt=today).update(state=State.OVER, closed_at=now)


def _offered(wave: Sequence[tuple[WaitlistEntry, Slot]], rules: BookingRules, now: datetime) -> list[SlotOffer]:
    late = timedelta(minutes=rules.notice_minutes)
    good = now + timedelta(minutes=rules.offer_minutes)
    return SlotOffer.objects.bulk_create(
        SlotOffer(
            entry=entry,
            doctor_id=slot.doctor_id,
            branch_id=entry.branch_id,
            start_at=slot.start_at,
            end_at=slot.end_at,
            offered_at=now,
            expires_at=max(min(good, slot.start_at - late), now + timedelta(minutes=5)),
        )
        for entry, slot in wave
    )


def _tell(offers: Sequence[SlotOffer], now: datetime) -> None:
    """One INSERT. The contact policy is asked about each when it leaves, as about every message."""
    reach = reach_of([offer.entry.patient_id for offer in offers], now=now)
    rows = [_message(offer, reach[offer.entry.patient_id], now) for offer in offers if offer.entry.patient_id in reach]
    Message.objects.bulk_create(rows, ignore_conflicts=True)
    wake_on_commit()


def _message(offer: SlotOffer, reach: Reach, now: datetime) -> Message:
    local = offer.start_at.astimezone(zone(offer.entry.branch.tz))
    with translation.override(reach.language or "ru"):
        day = formats.date_format(local.date(), "j E")
    link = f"{settings.PUBLIC_URL}{claim_path(offer.pk)}"
    values = {"day": day, "time": f"{local:%H:%M}", "branch": offer.entry.branch.name, "link": link}
    return Message(
        patient_id=offer.entry.patient_id,
        automation=AUTOMATION,
        purpose=Purpose.SERVICE,
        priority=priority_of(Purpose.SERVICE.value),
        transport=reach.best,
        address=reach.addresses.get(reach.best) or "",
        language=reach.language or "ru",
        tz=reach.tz,
        subject=str(offer.entry.branch.name)[:200],
        text=said(OFFER_TEXT, reach.language).format_map(values),
        dedupe_key=f"{AUTOMATION}:{offer.pk}",
        created_at=now,
        not_before=now,
        expires_at=offer.expires_at,
    )


@staff.one_deed()
def claim_offer(*, offer_id: int, by: Actor, now: datetime) -> Visit:
    """The first who takes it has it. Raises OfferOver, SlotTaken (with the nearest free times); he stays on the list then."""
    known = SlotOffer.objects.filter(pk=offer_id).first()
    if known is None:
        raise OfferOver
    patients.lock_slot(doctor_id=known.doctor_id, start_at=known.start_at, end_at=known.end_at)
    rows = SlotOffer.objects.select_for_update(of=("self",)).select_related("entry__patient", "doctor", "branch")
    offer = rows.get(pk=offer_id)
    if offer.state == SlotOffer.State.TAKEN and offer.entry.visit is not None:
        return offer.entry.visit
    if offer.state != SlotOffer.State.OPEN or offer.expires_at <= now or offer.entry.state != State.WAITING:
        raise OfferOver
    if slot_at(offer.branch, offer.doctor_id, offer.start_at, offer.entry.minutes, now) is None:
        raise SlotTaken(nearest_free(offer.doctor_id, offer.start_at, offer.entry.minutes, now))
    return _taken_by(offer, by, now)


def _taken_by(offer: SlotOffer, by: Actor, now: datetime) -> Visit:
    entry = offer.entry
    visit = patients.book_visit(
        patient=entry.patient,
        doctor=offer.doctor,
        branch=offer.branch,
        start_at=offer.start_at,
        end_at=offer.end_at,
        by=by,
        now=now,
    )
    same = SlotOffer.objects.filter(doctor=offer.doctor_id, start_at=offer.start_at, state=SlotOffer.State.OPEN)
    same.exclude(pk=offer.pk).update(state=SlotOffer.State.LOST, answered_at=now)
    SlotOffer.objects.filter(pk=offer.pk).update(state=SlotOffer.State.TAKEN, answered_at=now)
    WaitlistEntry.objects.filter(pk=entry.pk).update(state=State.BOOKED, visit=visit, closed_at=now)
    lead = take_lead(
        enquiry=Enquiry(
            kind=Lead.Kind.BOOKING.value,
            created_at=now,
            external_id=f"waitlist-{entry.pk}",
            branch=offer.branch,
            patient=entry.patient,
            door="booking",
        ),
        by=by,
        now=now,
    )
    link_visit(lead=lead, visit=visit, by=by, now=now)
    return visit
