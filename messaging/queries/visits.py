"""Which booked visits are due for a message now. Set-based: zones are few, visits may be many."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf

from messaging.queries.verdict import told_otherwise
from messaging.rules.quiet import due_spans
from patients.models import Patient, Visit
from staff.models import Clinic

NIGHT = timedelta(hours=13)  # the furthest that a quiet night pulls a reminder forward
DAY = timedelta(days=1)


def _booked(now: datetime) -> QuerySet[Visit]:
    """Scheduled and still ahead; nothing from before the clinic went live."""
    visits = Visit.objects.filter(status=Visit.Status.SCHEDULED, start_at__gt=now)
    live = Clinic.objects.filter(pk=1).values_list("went_live_at", flat=True).first()
    return visits if live is None else visits.filter(start_at__gte=live)


def _zone() -> Coalesce:
    """The patient's zone where one is known, else the branch's."""
    own, survivor = NullIf(F("patient__tz"), Value("")), NullIf(F("patient__canonical__tz"), Value(""))
    return Coalesce(survivor, own, F("branch__tz"))


def before_visit(now: datetime, *, lead: timedelta, booked: timedelta | None = None) -> QuerySet[Visit]:
    """Visits whose reminder, `lead` before the start, is to go out by now (a quiet night: in the evening before it).

    Booked later than `lead` (or `booked`) before the start = no such reminder: the booking itself was the reminder.
    """
    last = now + lead + NIGHT
    # `day` only lets the index find the few days that matter; it is local, so a day to either side is added.
    near = _booked(now).filter(start_at__lte=last, day__range=((now - DAY).date(), (last + DAY).date()))
    near = near.filter(booked_at__lte=F("start_at") - (booked or lead)).annotate(zone=_zone())
    due = Q(pk=None)
    for tz in near.order_by().values_list("zone", flat=True).distinct():
        for span in due_spans(now, tz, lead):
            due |= Q(zone=tz, start_at__gte=span.start, start_at__lt=span.end)
    return near.filter(due)


def later_visit(root: str, after: str | datetime, *, known: datetime) -> Exists:
    """Of a row with the canonical patient `root`: he came, or has booked, later than `after` (a column or an instant).

    `known`: the moment whose knowledge counts; what is booked later is not foreseen.
    """
    person = OuterRef(OuterRef(root))
    # Two indexes instead of a COALESCE that has none.
    records = Patient.objects.filter(Q(pk=person) | Q(canonical=person)).values("pk")
    moment = OuterRef(after) if isinstance(after, str) else after
    return Exists(
        Visit.objects.filter(status__in=Visit.HOLDING, patient__in=records, start_at__gt=moment, booked_at__lte=known)
    )


def newly_booked(now: datetime) -> QuerySet[Visit]:
    """Booked within a day, or told another time before: the patient has not yet heard of this one."""
    visits = _booked(now).annotate(told_other=told_otherwise())
    return visits.filter(Q(booked_at__gt=now - DAY) | Q(told_other__gt=0))
