"""Who is due for a message after a visit. Bounded in the past: a clinic's first day writes to nobody of its history."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Case, DateTimeField, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from core.clock import day_end, day_start, local_date
from messaging.models import PromotionHold
from messaging.queries.visits import later_visit
from patients.models import Patient, Visit
from staff.models import Branch, Clinic

CATCH_UP = timedelta(days=3)  # how far back a message after a visit is still planned: a week-end without a server
DAY = timedelta(days=1)
SOON = timedelta(days=30)  # a later date than this that the doctor named is the recall's


def _ended(now: datetime, offset: timedelta, status: str) -> QuerySet[Visit]:
    """Visits that ended `offset` ago, or up to CATCH_UP before that; with `root`, the canonical patient."""
    visits = Visit.objects.filter(status=status, end_at__lte=now - offset, end_at__gt=now - offset - CATCH_UP)
    # `day` lets the index find the few days that matter; it is local, so a day to either side is added.
    visits = visits.filter(day__range=((now - offset - CATCH_UP - DAY).date(), (now - offset + DAY).date()))
    live = Clinic.objects.filter(pk=1).values_list("went_live_at", flat=True).first()
    visits = visits.filter(start_at__gte=live) if live else visits
    return visits.annotate(root=Coalesce("patient__canonical_id", "patient_id"))


def to_ask(now: datetime, offset: timedelta) -> QuerySet[Visit]:
    """Completed visits to ask about, with `ask_until`: the end of the next day in the visit's branch (R56)."""
    ends = []
    for tz in Branch.objects.values_list("tz", flat=True).distinct():
        day = local_date(now - offset - CATCH_UP, tz)
        while day <= local_date(now, tz):
            of_day = {"branch__tz": tz, "end_at__gte": day_start(day, tz), "end_at__lt": day_end(day, tz)}
            ends.append(When(**of_day, then=Value(day_end(day + DAY, tz))))
            day += DAY
    asked = _ended(now, offset, Visit.Status.COMPLETED)
    return asked.annotate(ask_until=Case(*ends, output_field=DateTimeField())).filter(ask_until__gt=now)


def missed(now: datetime, offset: timedelta) -> QuerySet[Visit]:
    """Who did not come and has not booked since."""
    return _ended(now, offset, Visit.Status.NO_SHOW).exclude(later_visit("root", "start_at", known=now))


def left_without_next(now: datetime, offset: timedelta) -> QuerySet[Visit]:
    """Whose visit ended without a booking, without a reason, and without a date months ahead."""
    visits = _ended(now, offset, Visit.Status.COMPLETED).filter(next_visit=None, no_next_reason="")
    far = Q(recommended_return_date__gt=(now + SOON).date()) | Q(recommendations__due_date__gt=(now + SOON).date())
    return visits.exclude(pk__in=visits.filter(far).values("pk")).exclude(later_visit("root", "start_at", known=now))


def first_visits(now: datetime, offset: timedelta) -> QuerySet[Visit]:
    """Completed visits before which the person never came; not of those who are unhappy just now."""
    visits = _ended(now, offset, Visit.Status.COMPLETED)
    known = Clinic.objects.filter(pk=1).values_list("history_from", flat=True).first()
    if known:  # whoever was a patient before our data begins may have come before
        visits = visits.filter(patient__created_at__date__gte=known)
    unhappy = PromotionHold.objects.filter(patient=OuterRef("root"), lifted_at=None)
    return visits.exclude(earlier_visit()).exclude(Exists(unhappy))


def earlier_visit() -> Exists:
    root = OuterRef(OuterRef("root"))
    records = Patient.objects.filter(Q(pk=root) | Q(canonical=root)).values("pk")
    came = Visit.objects.filter(patient__in=records, status=Visit.Status.COMPLETED, start_at__lt=OuterRef("start_at"))
    return Exists(came)
