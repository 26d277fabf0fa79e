"""The automations with their last 30 days: what was due, what became of it, what came of it.

due = sent + waiting + unknown + those of `reasons`, always. What went out by a second transport because the first one failed
is not due once more: the last try speaks for all of them, only the cost is that of each.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import BooleanField, Case, Count, Exists, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, TruncDate

from messaging.models import Approval, AutomationSetting, LinkClick, Message
from messaging.models.outbox import Reason, State
from messaging.queries.due import clinic_day, count_due
from messaging.rules.automation import KINDS, Automation
from patients.models import Patient, Visit

STATISTICS = timedelta(days=30)
GONE_OUT = (State.SENT, State.DELIVERED, State.UNDELIVERED)
ON_THE_WAY = (State.QUEUED, State.CLAIMED, State.INFLIGHT)
PAST_APPROVALS = 10
SLOW, KEPT = 0.7, 300  # seconds


@dataclass(frozen=True)
class Outcome:
    """The sums of one state and reason. `messages` may be 0 where only the cost counts; `cost` in minor units;
    `confirmed`, `came` of those that were sent."""

    state: str
    reason: str
    messages: int
    cost: int
    confirmed: int
    came: int


@dataclass(frozen=True)
class Month:
    """By automation, as of `at`."""

    outcomes: dict[str, list[Outcome]]
    at: datetime


@dataclass(frozen=True)
class AutomationRow:
    """`reasons`: (label, count) of what did not go out, most frequent first. `waiting_today`: how many are due and wait
    for a person's approval, None where none is needed or it is given."""

    automation: Automation
    setting: AutomationSetting
    outcomes: list[Outcome] = field(default_factory=list)
    approval: Approval | None = None
    waiting_today: int | None = None
    as_of: datetime | None = None  # when the outcomes were counted

    @property
    def is_on(self) -> bool:
        return self.setting.is_on

    @property
    def due(self) -> int:
        return sum(one.messages for one in self.outcomes)

    @property
    def sent(self) -> int:
        return self._total("messages", GONE_OUT)

    @property
    def waiting(self) -> int:
        return self._total("messages", ON_THE_WAY)

    @property
    def unknown(self) -> int:
        return self._total("messages", (State.UNKNOWN,))

    @property
    def confirmed(self) -> int:
        return self._total("confirmed", GONE_OUT)

    @property
    def came(self) -> int:
        return self._total("came", GONE_OUT)

    @property
    def cost(self) -> int:
        return sum(one.cost for one in self.outcomes)

    @property
    def not_sent(self) -> int:
        return sum(number for _label, number in self.reasons)

    @property
    def reasons(self) -> list[tuple[str, int]]:
        found: dict[str, int] = {}
        for one in self.outcomes:
            if one.messages and one.state in (State.SKIPPED, State.REFUSED, State.EXPIRED):
                label = str(Reason(one.reason).label if one.reason else State(one.state).label)
                found[label] = found.get(label, 0) + one.messages
        return sorted(found.items(), key=lambda pair: -pair[1])

    def _total(self, name: str, states: Sequence[str]) -> int:
        return sum(getattr(one, name) for one in self.outcomes if one.state in states)


def automation_rows(automations: Iterable[Automation], *, now: datetime) -> list[AutomationRow]:
    """Three queries, and a count for each that advertises and waits for today's approval."""
    every = list(automations)
    codes = [one.code for one in every]
    settings = {row.code: row for row in AutomationSetting.objects.filter(code__in=codes)}
    month = remembered(codes, now)
    adverts = {one.subject: one for one in every if one.advertises}
    approvals = approvals_today(list(adverts), clinic_day(now)) if adverts else {}
    rows = []
    for one in every:
        setting = settings.get(one.code) or AutomationSetting(code=one.code)
        approval = approvals.get(one.subject)
        open_ = one.advertises and approval is None and setting.is_on
        waiting = count_due(one, now) if open_ else None
        rows.append(AutomationRow(one, setting, month.outcomes.get(one.code, []), approval, waiting, month.at))
    return rows


def by_kind(rows: Iterable[AutomationRow]) -> list[tuple[str, list[AutomationRow]]]:
    """(title, rows) in the order of KINDS; kinds without an automation are left out."""
    every = list(rows)
    groups = [(str(title), [row for row in every if row.automation.kind == kind]) for kind, title in KINDS.items()]
    return [(title, found) for title, found in groups if found]


def remembered(codes: list[str], now: datetime) -> Month:
    """A month that took long to count (a clinic of a million) is kept for some minutes; a quick one is always live."""
    key = "messaging:month:" + hashlib.sha256(",".join(codes).encode()).hexdigest()[:32]
    kept: Month | None = cache.get(key)
    if kept is not None:
        return kept
    begun = time.monotonic()
    month = Month(outcomes_of(codes, now), now)
    if time.monotonic() - begun > SLOW:
        cache.set(key, month, KEPT)
    return month


def outcomes_of(codes: list[str], now: datetime) -> dict[str, list[Outcome]]:
    """By automation; one query over the messages of 30 days."""
    judged = _month(codes, now).annotate(last=_last(), went=_went(), yes=_confirmed(), there=_came())
    rows = (
        judged.values_list("automation", "state", "reason")
        .annotate(
            messages=Count("id", filter=Q(last=True)),
            paid=Coalesce(Sum("cost"), 0),
            confirmed=Count("id", filter=Q(last=True, went=True, yes=True)),
            came=Count("id", filter=Q(last=True, went=True, there=True)),
        )
        .order_by()
    )
    found: dict[str, list[Outcome]] = {}
    for code, *numbers in rows:
        found.setdefault(code, []).append(Outcome(*numbers))
    return found


def _month(codes: list[str], now: datetime) -> QuerySet[Message]:
    return Message.objects.filter(created_at__gt=now - STATISTICS, automation__in=codes)


def _last() -> Case:
    """Of the tries for one message by several transports, the one that counts; not one that was taken back."""
    needless = Q(fallback_of__isnull=False, reason=Reason.ARRIVED)
    after = Message.objects.filter(fallback_of=OuterRef("pk")).exclude(reason=Reason.ARRIVED)
    return Case(When(needless | Exists(after), then=False), default=True, output_field=BooleanField())


def _went() -> Case:
    return Case(When(state__in=GONE_OUT, sent_at__isnull=False, then=True), default=False, output_field=BooleanField())


def _confirmed() -> Exists:
    """The patient said yes to the visit after he was told of it."""
    return Exists(Visit.objects.filter(pk=OuterRef("visit"), confirmed_at__gte=OuterRef("sent_at")))


def _came() -> Case:
    """To the visit that the message spoke of; else to any visit within 30 days after it."""
    told = Visit.objects.filter(
        pk=OuterRef("visit"), start_at=OuterRef("about_at"), status__in=(Visit.Status.COMPLETED, Visit.Status.ARRIVED)
    )
    root = Coalesce(OuterRef(OuterRef("patient__canonical")), OuterRef(OuterRef("patient")))
    records = Patient.objects.filter(Q(pk=root) | Q(canonical=root)).values("pk")
    after = Visit.objects.filter(
        patient__in=records,
        status=Visit.Status.COMPLETED,
        start_at__gt=OuterRef("sent_at"),
        start_at__lte=OuterRef("sent_at") + Value(STATISTICS),
    )
    return Case(When(about_at__isnull=False, then=Exists(told)), default=Exists(after), output_field=BooleanField())


def sent_by_day(code: str, now: datetime) -> list[tuple[date, int]]:
    """(day in UTC, messages that went out), every day of the last 30."""
    sent = _month([code], now).annotate(last=_last(), day=TruncDate("created_at"))
    sent = sent.filter(last=True, state__in=GONE_OUT)
    found = dict(sent.order_by().values_list("day").annotate(n=Count("id")))
    days = [(now - timedelta(days=back)).date() for back in range(STATISTICS.days, -1, -1)]
    return [(day, found.get(day, 0)) for day in days]


def clicks_of(code: str, now: datetime) -> dict[str, int]:
    """{people: messages whose link a person opened, bots: openings by programs}."""
    clicks = LinkClick.objects.filter(message__in=_month([code], now).values("pk"))
    found: dict[str, Any] = clicks.aggregate(people=Count("pk", filter=Q(people__gt=0)), bots=Coalesce(Sum("bots"), 0))
    return {name: int(value) for name, value in found.items()}


def approvals_today(subjects: list[str], day: date) -> dict[str, Approval]:
    """The newest one that holds on that day, by subject."""
    holding = Approval.objects.filter(subject__in=subjects, first_day__lte=day, last_day__gte=day, withdrawn_at=None)
    return {row.subject: row for row in holding.select_related("approved_by").order_by("id")}


def approvals_of(subject: str) -> list[Approval]:
    """The latest, newest first."""
    rows = (
        Approval.objects.filter(subject=subject)
        .select_related("approved_by", "withdrawn_by")
        .annotate(messages_sent=Count("messages", filter=Q(messages__state__in=GONE_OUT)))
    )
    return list(rows.order_by("-id")[:PAST_APPROVALS])
