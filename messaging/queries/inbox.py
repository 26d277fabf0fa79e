"""The inbox: answers of patients that wait for a person, and how quickly persons answer (R95)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, CharField, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Concat

from messaging.models import Reply
from patients.models import Patient, WorkItem
from patients.queries.scope import visible_patients
from staff.access import Actor

PAGE, MOST_COUNTED = 30, 99
QUICK, SLOW = timedelta(seconds=60), timedelta(seconds=120)  # R95
STATISTICS = timedelta(days=7)
Key = tuple[int, datetime, int]


@dataclass(frozen=True)
class InboxPage:
    """`after`: key of the next page, None on the last. `count` stops at 99; `oldest`: since when the first one waits."""

    rows: Sequence[Reply]
    after: Key | None
    count: int
    oldest: datetime | None


@dataclass(frozen=True)
class Speed:
    """Answers that needed a person in 7 days; those that still wait count as late once their time is over."""

    all: int
    within_60: int
    within_120: int

    @property
    def share_60(self) -> float | None:
        return self.within_60 / self.all if self.all else None

    @property
    def share_120(self) -> float | None:
        return self.within_120 / self.all if self.all else None


def visible_replies(by: Actor) -> QuerySet[Reply]:
    """A person bound to a branch sees what the branch's patients may have written, and what nobody known wrote."""
    replies = Reply.objects.all()
    if by.branch_id is None:
        return replies
    owners = Reply.owners.through.objects.filter(reply=OuterRef("pk"))
    mine = owners.filter(patient__in=visible_patients(by).values("pk"))
    return replies.filter(Q(Exists(mine)) | ~Q(Exists(owners)))


def waiting(by: Actor) -> QuerySet[Reply]:
    """Nobody has answered, neither here nor by closing the work item."""
    key = Concat(Value("reply:"), Cast(OuterRef("pk"), CharField()), output_field=CharField())
    closed = WorkItem.objects.filter(dedupe_key=key).exclude(status=WorkItem.Status.OPEN)
    return visible_replies(by).filter(answered_at=None).exclude(Exists(closed))


def inbox_page(*, by: Actor, after: Key | None = None) -> InboxPage:
    """Who cannot come first, for his time may still be given to somebody; then who has waited longest."""
    cancels = When(meaning=Reply.Meaning.CANCEL, then=Value(0))
    rows = waiting(by).annotate(rank=Case(cancels, default=Value(1), output_field=IntegerField()))
    count, first = (
        min(waiting(by)[: MOST_COUNTED + 1].count(), MOST_COUNTED),
        waiting(by).order_by("received_at").first(),
    )
    if after is not None:
        rank, at, pk = after
        same = Q(received_at__gt=at) | Q(received_at=at, pk__gt=pk)
        rows = rows.filter(Q(rank__gt=rank) | Q(Q(rank=rank) & same))
    found = list(rows.select_related("answers__visit__branch").order_by("rank", "received_at", "pk")[: PAGE + 1])
    page = found[:PAGE]
    _name_owners(page, by)
    last = page[-1] if len(found) > PAGE else None
    key = None if last is None else (last.rank, last.received_at, last.pk)
    return InboxPage(page, key, count, first.received_at if first else None)


def reply_of(pk: int, by: Actor) -> Reply | None:
    """One that `by` may see, with its `people`."""
    reply = visible_replies(by).select_related("answers__visit__branch", "answered_by").filter(pk=pk).first()
    if reply is not None:
        _name_owners([reply], by)
    return reply


def earlier(reply: Reply, by: Actor, *, limit: int = 5) -> list[Reply]:
    """What the same address wrote before, as far as `by` may see it, newest first."""
    same = visible_replies(by).filter(
        transport=reply.transport, address=reply.address, received_at__lt=reply.received_at
    )
    return list(same.order_by("-received_at", "-pk")[:limit])


def waiting_count(by: Actor) -> int:
    """For the navigation; stops at 99."""
    return min(waiting(by)[: MOST_COUNTED + 1].count(), MOST_COUNTED)


def speed(*, by: Actor, now: datetime) -> Speed:
    """What the machine settled is left out: it needed nobody."""
    rows = visible_replies(by).filter(received_at__gt=now - STATISTICS)
    rows = rows.exclude(answered_at__isnull=False, answered_by=None).exclude(
        answered_at=None, received_at__gt=now - SLOW
    )
    found = rows.aggregate(
        all=Count("pk"),
        quick=Count("pk", filter=Q(answered_at__lte=F("received_at") + QUICK)),
        slow=Count("pk", filter=Q(answered_at__lte=F("received_at") + SLOW)),
    )
    return Speed(found["all"], found["quick"], found["slow"])


def _name_owners(replies: Sequence[Reply], by: Actor) -> None:
    """Puts `people` on each: the owners of the address whom `by` may see. One query."""
    pairs = Reply.owners.through.objects.filter(reply__in=[reply.pk for reply in replies])
    ids = list(pairs.values_list("reply_id", "patient_id"))
    people = {
        one.pk: one for one in visible_patients(by).filter(pk__in={pk for _reply, pk in ids}).select_related("branch")
    }
    for reply in replies:
        theirs: list[Patient] = [people[pk] for of, pk in ids if of == reply.pk and pk in people]
        reply.people = theirs  # type: ignore[attr-defined]
