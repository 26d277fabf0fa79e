"""Who waits, for what, and which free times may be offered to whom now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q, QuerySet

from core.clock import zone
from funnel.models import BookingRules, SlotOffer, WaitlistEntry
from funnel.rules.booking import Wish
from messaging.rules.quiet import opening
from patients.queries.slots import Slot, free_gaps, slots_in
from staff.access import Actor
from staff.models import Doctor

MOST_WAITING, MOST_SLOTS, OFFERS_A_DAY = 2000, 500, 3
Key = tuple[int, datetime]


@dataclass(frozen=True)
class Past:
    """What was offered before. `last`: of each time, when its latest wave went; `whom`: (entry, doctor, start) offered;
    `busy`: entries that have an open offer, or enough of them today; `gone`: times that somebody took."""

    last: Mapping[Key, datetime]
    whom: frozenset[tuple[int, int, datetime]]
    busy: set[int] = field(default_factory=set)
    gone: frozenset[Key] = frozenset()


def waiting() -> QuerySet[WaitlistEntry]:
    return WaitlistEntry.objects.filter(state=WaitlistEntry.State.WAITING).order_by("created_at", "id")


def visible_waitlist(by: Actor) -> QuerySet[WaitlistEntry]:
    """Of the actor's branch, or of all."""
    return waiting() if by.branch_id is None else waiting().filter(branch=by.branch_id)


def wish_of(entry: WaitlistEntry) -> Wish:
    return Wish(entry.first_day, entry.last_day, entry.days, entry.from_time, entry.to_time)


def past_offers(entries: Sequence[WaitlistEntry], now: datetime) -> Past:
    """Three queries, whatever the number of entries."""
    coming = SlotOffer.objects.filter(start_at__gt=now)
    last = coming.order_by().values("doctor", "start_at").annotate(at=Max("offered_at"))
    ids = [entry.pk for entry in entries]
    whom = coming.filter(entry__in=ids).values_list("entry", "doctor", "start_at", "state")
    rows = list(whom)
    today = SlotOffer.objects.filter(entry__in=ids, offered_at__gt=now - timedelta(days=1)).order_by().values("entry")
    full = today.annotate(n=Count("id")).filter(n__gte=OFFERS_A_DAY).values_list("entry", flat=True)
    return Past(
        last={(row["doctor"], row["start_at"]): row["at"] for row in last},
        whom=frozenset(row[:3] for row in rows),
        busy={row[0] for row in rows if row[3] == SlotOffer.State.OPEN} | set(full),
        gone=frozenset((row[1], row[2]) for row in rows if row[3] == SlotOffer.State.TAKEN),
    )


def free_for(entries: Sequence[WaitlistEntry], rules: BookingRules, now: datetime) -> dict[tuple[int, int], list[Slot]]:
    """(branch, minutes) → free times of the doctors somebody waits for there. A branch whose people sleep has none: an
    offer is over before they wake."""
    wanted: dict[tuple[int, int], list[WaitlistEntry]] = defaultdict(list)
    for entry in entries:
        if opening(now, entry.branch.tz) <= now:
            wanted[entry.branch_id, entry.minutes].append(entry)
    doctors = _doctors(entries)
    whom = {
        place: {pk for one in those for pk in doctors[one.doctor_id, one.speciality]} for place, those in wanted.items()
    }
    first, last = now + timedelta(minutes=rules.notice_minutes), now + timedelta(days=rules.days_ahead)
    found = free_gaps(doctor_ids=set().union(*whom.values()), start=first, end=last, now=now) if whom else []
    return {
        (branch, minutes): slots_in(
            [gap for gap in found if gap.place_id == branch and gap.doctor_id in ids],
            minutes=minutes,
            now=now,
            limit=MOST_SLOTS,
        )
        for (branch, minutes), ids in whom.items()
    }


def _doctors(entries: Iterable[WaitlistEntry]) -> dict[tuple[int | None, str], list[int]]:
    """Whom (doctor, speciality) of an entry means: that doctor, else all of the speciality."""
    named = {(entry.doctor_id, entry.speciality) for entry in entries}
    ids, names = {pk for pk, _name in named if pk}, {name for pk, name in named if not pk}
    rows = Doctor.objects.filter(Q(pk__in=ids) | Q(speciality__in=names), is_active=True).values_list(
        "pk", "speciality"
    )
    active = list(rows)
    return {(pk, name): [d for d, s in active if (d == pk if pk else s == name)] for pk, name in named}


def next_wave(
    entries: Sequence[WaitlistEntry],
    slots: Mapping[tuple[int, int], Sequence[Slot]],
    past: Past,
    rules: BookingRules,
    now: datetime,
) -> list[tuple[WaitlistEntry, Slot]]:
    """Whom to offer what now: of each time `wave_size` people, those who wait longest first, one open offer each."""
    doctors, busy = _doctors(entries), set(past.busy)
    since = now - timedelta(minutes=rules.wave_minutes)
    found = []
    for place, free in slots.items():
        here = [entry for entry in entries if (entry.branch_id, entry.minutes) == place]
        for slot in free:
            key = (slot.doctor_id, slot.start_at)
            if key in past.gone or past.last.get(key, since) > since:
                continue
            told = 0
            for entry in here:
                if told == rules.wave_size:
                    break
                if entry.pk not in busy and _suits(entry, slot, doctors) and (entry.pk, *key) not in past.whom:
                    found.append((entry, slot))
                    busy.add(entry.pk)
                    told += 1
    return found


def _suits(entry: WaitlistEntry, slot: Slot, doctors: Mapping[tuple[int | None, str], list[int]]) -> bool:
    local = slot.start_at.astimezone(zone(entry.branch.tz))
    return slot.doctor_id in doctors[entry.doctor_id, entry.speciality] and wish_of(entry).suits(local)
