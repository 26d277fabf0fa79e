"""Where the batons are: mine, dropped ones, and how today's visits ended (R49, R50)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.clock import local_date
from funnel.models import HandoffStep, Relay, RelayTemplate
from funnel.rules.handoff import given_by, hands_of
from patients.models import Visit
from patients.queries import visible_visits
from staff.access import Actor
from staff.models import Clinic, User

SHOWN = 100  # of one day; a clinic with more dropped batons than that has no use for a longer list
OPEN = Q(acknowledged_at=None, dropped_at=None)
UNSETTLED = Q(acknowledged_at=None) & ~Q(drop_reason="not_needed")
IN_HAND = (Visit.Status.ARRIVED, Visit.Status.COMPLETED)


def me(by: Actor) -> int:
    """The id of the member of staff behind the actor; 0, whom nobody is, for keys and the system."""
    return by.id if by.kind == "user" and by.id is not None else 0


def own_doctor(by: Actor) -> QuerySet[User, dict[str, int]]:
    """A subquery: the doctor whose account this is."""
    return User.objects.filter(pk=me(by), doctor__isnull=False).values("doctor")  # type: ignore[return-value]


def clinic_day(now: datetime) -> date:
    return local_date(now, Clinic.objects.values_list("tz", flat=True).get(pk=1))


def template_of(speciality: str) -> RelayTemplate | None:
    """The speciality's own chain, else everybody's."""
    return RelayTemplate.objects.filter(speciality__in=("", speciality)).order_by("-speciality").first()


def steps_before(visit: Visit) -> list[HandoffStep]:
    """Of the visit's relay; before it is opened, those that its chain would have (not in the database)."""
    kept = list(HandoffStep.objects.filter(relay__visit=visit).order_by("position"))
    template = None if kept else template_of(visit.doctor.speciality)
    kinds = template.kinds if template and not Relay.objects.filter(visit=visit).exists() else []
    return kept or [HandoffStep(position=place, kind=kind) for place, kind in enumerate(kinds)]


def visible_steps(by: Actor) -> QuerySet[HandoffStep]:
    steps = HandoffStep.objects.select_related("relay__visit__patient", "relay__visit__doctor", "to_user", "from_user")
    return steps if by.branch_id is None else steps.filter(relay__visit__branch=by.branch_id)


def _recent(by: Actor, day: date) -> QuerySet[HandoffStep]:
    """Open steps of visits of that day and the one before (a visit may pass midnight)."""
    days = (day - timedelta(days=1), day)
    return visible_steps(by).filter(OPEN, relay__visit__day__in=days, relay__visit__status__in=IN_HAND)


def to_take(by: Actor, day: date) -> list[HandoffStep]:
    """Handed to this person, to his doctor, or to whoever has such hands; the longest first."""
    anybody = Q(to_user=None, to_doctor=None, to_role=hands_of(by.role))
    mine = Q(to_user=me(by)) | Q(to_user=None, to_doctor__in=own_doctor(by)) | anybody
    return list(_recent(by, day).filter(mine, handed_at__isnull=False).order_by("handed_at", "pk")[:SHOWN])


def to_give(by: Actor, day: date) -> list[HandoffStep]:
    """The next step of chains whose baton this person holds: a doctor of his own visits, others of what they took."""
    earlier = HandoffStep.objects.filter(relay=OuterRef("relay"), position__lt=OuterRef("position"))
    held = earlier.filter(acknowledged_by=me(by))
    steps = _recent(by, day).filter(~Exists(earlier.filter(OPEN)), handed_at=None, kind__in=given_by(by.role))
    return list(
        steps.filter(Q(relay__visit__doctor__in=own_doctor(by)) | Exists(held)).order_by("relay__opened_at")[:SHOWN]
    )


def dropped(by: Actor, day: date, now: datetime) -> list[HandoffStep]:
    """One query: the first open step of every relay that is broken and unexplained; the longest first.

    Broken = in the air past its limit, or the visit is over and the chain is not.
    """
    earlier = HandoffStep.objects.filter(OPEN, relay=OuterRef("relay"), position__lt=OuterRef("position"))
    broken = Q(late_at__lte=now) | Q(relay__visit__status=Visit.Status.COMPLETED)
    steps = _recent(by, day).filter(~Exists(earlier), broken, relay__break_reason="")
    return list(steps.order_by("relay__opened_at", "pk")[:SHOWN])


def ended_badly(by: Actor, day: date) -> QuerySet[Visit]:
    """Visits of the day without (complete chain + next booking with a goal) and without a reason (beyond.md 6, R50)."""
    broken = HandoffStep.objects.filter(UNSETTLED, relay__visit=OuterRef("pk"))
    explained = Relay.objects.filter(visit=OuterRef("pk")).exclude(break_reason="")
    aimless = Q(next_visit=None, no_next_reason="") | Q(next_visit__isnull=False, next_visit__goal="")
    visits = visible_visits(by).filter(day=day, status=Visit.Status.COMPLETED, patient__is_test=False)
    if hands_of(by.role) == "doctor":
        visits = visits.filter(doctor__in=own_doctor(by))
    return visits.filter(aimless | Exists(broken)).exclude(Exists(explained)).select_related("patient", "doctor")


def broken_at(visits: Iterable[Visit]) -> dict[int, str]:
    """Of each visit: the kind of the first step that did not take place. One query."""
    steps = HandoffStep.objects.filter(UNSETTLED, relay__visit__in=[visit.pk for visit in visits])
    rows = steps.order_by("relay", "-position").values_list("relay__visit", "kind")
    return {visit: str(HandoffStep.Kind(kind).label) for visit, kind in rows}  # the first one is written last
