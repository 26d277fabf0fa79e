"""Invitations by a date: the doctor's advice, and the interval of a service (R50). Several attempts, until one books.

Neutral on purpose: neither the service nor the doctor is named (323-FZ art. 13).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from messaging.models.outbox import Priority
from messaging.queries.due import clinic_day
from messaging.queries.visits import later_visit
from messaging.rules.automation import Automation, Delay
from messaging.rules.texts import pair
from patients.models import Patient, Recommendation, Service, Visit, VisitItem
from patients.models.contact import Purpose

DAY = timedelta(days=1)
RESTS = timedelta(minutes=15)  # dates change once a day
CATCH_UP = timedelta(days=5)  # how far back an attempt is still planned
INTERVALS = 200  # distinct intervals of a price list


def _window(now: datetime, offset: timedelta) -> tuple[date, date]:
    """First and last date on which something must have been due for the attempt of today."""
    last = clinic_day(now) - timedelta(days=offset.days)
    return last - CATCH_UP + DAY, last


def _not_back(visits: QuerySet[Visit], now: datetime) -> QuerySet[Visit]:
    """Nothing booked ahead, nobody left or died; with `root`, the canonical patient."""
    rooted = visits.annotate(root=Coalesce("patient__canonical_id", "patient_id"))
    gone = Q(patient__natural_churn_reason__gt="") | Q(patient__canonical__natural_churn_reason__gt="")
    return rooted.exclude(gone).exclude(later_visit("root", now, known=now))


def _came_again(now: datetime, **same: Any) -> Exists:
    """The person was here again later, for the same."""
    root = OuterRef(OuterRef("root"))
    records = Patient.objects.filter(Q(pk=root) | Q(canonical=root)).values("pk")
    later = Visit.objects.filter(patient__in=records, status=Visit.Status.COMPLETED, start_at__gt=OuterRef("start_at"))
    later = later.filter(start_at__lte=now)
    return Exists(later.filter(**same))


def advised(now: datetime, offset: timedelta) -> QuerySet[Visit]:
    """Visits whose doctor named a date, in the visit or in a recommendation, after which nobody of them came (M29)."""
    window = _window(now, offset)
    told = Recommendation.objects.filter(due_date__range=window, closed_at=None).exclude(visit=None)
    # A union of two indexes: as an OR it would read every visit of the clinic.
    named = Visit.objects.filter(recommended_return_date__range=window).values("pk").union(told.values("visit"))
    visits = Visit.objects.filter(pk__in=named, status=Visit.Status.COMPLETED)
    speciality = OuterRef("doctor__speciality")
    return _not_back(visits, now).exclude(_came_again(now, doctor__speciality=speciality))


def by_interval(now: datetime, offset: timedelta) -> QuerySet[Visit]:
    """Visits with a service whose interval is over, where no doctor named another date and none took it again."""
    first, last = _window(now, offset)
    due: Any = Q(pk=None)
    served = Service.objects.filter(recall_days__gt=0, is_active=True).order_by("recall_days")
    for days in served.values_list("recall_days", flat=True).distinct()[:INTERVALS]:
        back = timedelta(days=days or 0)
        taken = VisitItem.objects.filter(visit=OuterRef("pk"), service__recall_days=days, service__is_active=True)
        due |= Q(day__range=(first - back, last - back)) & Exists(taken)
    visits = Visit.objects.filter(
        due, status=Visit.Status.COMPLETED, recommended_return_date=None, recommendations=None
    )
    again = _came_again(now, doctor__speciality=OuterRef("doctor__speciality"), items__service__recall_days__gt=0)
    return _not_back(visits, now).exclude(again)


RECALL = Automation(
    code="recall",
    name=_("Invitation by the doctor's date"),
    explains=_(
        "A week before the date that the doctor named, then every two weeks, three times, until the patient books."
    ),
    purpose=Purpose.SERVICE,
    template="recall",
    who=advised,
    delay=Delay(7 * DAY, DAY, 30 * DAY, before=True),
    attempts=3,
    every=14 * DAY,
    until=5 * DAY,
    once_per=(F("pk"),),
    priority=Priority.MEDICAL,
    kind="care",
    rests=RESTS,
    about_time=False,
    stops_when_booked=True,
    texts=pair(
        "[{first_name}, ]подходит срок визита, о котором вы договорились в прошлый раз.[ Записаться: {phone}.] {clinic}",
        "Здравствуйте[, {first_name}]!\n\nПодходит срок визита, о котором вы договорились в прошлый раз. Ответьте на это "
        "письмо или позвоните: подберём удобное время.",
        "Подходит срок вашего визита",
        language="ru",
    )
    | pair(
        "[{first_name}, ]the date of the visit that you agreed on last time is near.[ To book: {phone}.] {clinic}",
        "Hello[ {first_name}],\n\nthe date of the visit that you agreed on last time is near. Answer this mail or call us: "
        "we will find a time that suits you.",
        "Your visit is due",
        language="en",
    ),
)
RECALL_SERVICE = Automation(
    code="recall_service",
    name=_("Invitation by the interval of a service"),
    explains=_(
        "When the interval of the price list is over and no doctor named another date: twice, three weeks apart."
    ),
    purpose=Purpose.SERVICE,
    template="recall_service",
    who=by_interval,
    delay=Delay(7 * DAY, DAY, 30 * DAY, before=True),
    attempts=2,
    every=21 * DAY,
    until=5 * DAY,
    once_per=(F("root"), F("day")),
    kind="care",
    rests=RESTS,
    about_time=False,
    stops_when_booked=True,
    texts=pair(
        "[{first_name}, ]с вашего прошлого визита прошло время, пора показаться снова.[ Записаться: {phone}.] {clinic}",
        "Здравствуйте[, {first_name}]!\n\nС вашего прошлого визита прошло время, пора показаться снова. Ответьте на это "
        "письмо или позвоните: подберём удобное время.",
        "Пора показаться снова",
        language="ru",
    )
    | pair(
        "[{first_name}, ]some time has passed since your last visit: it is time to be seen again[: {phone}]. {clinic}",
        "Hello[ {first_name}],\n\nsome time has passed since your last visit: it is time to be seen again. Answer this mail "
        "or call us: we will find a time that suits you.",
        "Time to be seen again",
        language="en",
    ),
)
