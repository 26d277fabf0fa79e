"""Who waits for an answer, one lead with all that belongs to it, and the lists by stage and by filter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from funnel.models import Alternative, Lead, LeadBooking, LeadStage, Stage, StageRule
from funnel.queries.scope import visible_leads
from funnel.rules.hours import LATE_SECONDS, SOON_SECONDS, Hours, working_seconds
from funnel.rules.leads import Key
from staff.access import Actor

PAGE, COLUMN, MOST_COUNTED = 50, 20, 100
SHOWN = ("patient", "branch", "channel", "last_channel", "assignee")
# The first steps wait for somebody, so the longest standing comes first; the later ones are a harvest: the newest.
WAITING_STAGES = (Stage.LEAD, Stage.CONTACTED, Stage.BOOKED)

# How the keys of work items of leads begin; the id of the lead follows.
CALL_ITEM, WAIT_ITEM, LIMIT_ITEM = "lead-call:", "lead-wait:", "lead-limit:"


@dataclass(frozen=True)
class Waiting:
    """One person who waits. `since`: of the earliest unanswered enquiry; `worked`: seconds of the branch's working time
    (None where no branch is known); `mark`: the colour of the clock."""

    lead: Lead
    asked: Lead
    since: datetime
    worked: int | None
    mark: str


@dataclass(frozen=True)
class WaitingPage:
    rows: list[Waiting]
    after: Key | None


@dataclass(frozen=True)
class Column:
    """A stage of the board; `more`: there are more than are shown."""

    stage: str
    label: str
    rule: StageRule | None
    leads: list[Lead]
    more: bool


@dataclass(frozen=True)
class LeadCard:
    """A lead that counts, with its stages, further enquiries, offers and visits, each by time."""

    lead: Lead
    stages: list[LeadStage]
    touches: list[Lead]
    offers: list[Alternative]
    bookings: list[LeadBooking]


def waiting(by: Actor) -> QuerySet[Lead]:
    """The unanswered enquiries, the longest waiting first; a person who asked twice stands there once."""
    unanswered = Lead.objects.filter(first_response_at=None, lost_at=None, is_spam=False, stage=Stage.LEAD)
    earlier = Q(created_at__lt=OuterRef("created_at")) | Q(created_at=OuterRef("created_at"), pk__lt=OuterRef("pk"))
    sibling = unanswered.filter(earlier, duplicate_of=OuterRef("duplicate_of"))
    first = Q(duplicate_of=None) | Q(
        ~Exists(sibling), ~Q(duplicate_of__in=unanswered), duplicate_of__lost_at=None, duplicate_of__is_spam=False
    )
    mine = visible_leads(by).filter(first_response_at=None, lost_at=None, is_spam=False, stage=Stage.LEAD)
    return mine.filter(first).order_by("created_at", "id")


def waiting_page(*, by: Actor, now: datetime, after: Key | None = None, size: int = PAGE) -> WaitingPage:
    """One query, whatever the number of rows."""
    rows = waiting(by)
    if after is not None:
        rows = rows.filter(Q(created_at__gt=after[0]) | Q(created_at=after[0], pk__gt=after[1]))
    names = [*SHOWN, *(f"duplicate_of__{name}" for name in ("patient", "branch", "channel"))]
    found = list(rows.select_related("duplicate_of", *names)[: size + 1])
    key = (found[size - 1].created_at, found[size - 1].pk) if len(found) > size else None
    return WaitingPage([_waits(lead, now) for lead in found[:size]], key)


def _waits(asked: Lead, now: datetime) -> Waiting:
    lead, worked = asked.duplicate_of or asked, _worked(asked, now)
    seconds = (now - asked.created_at).total_seconds()
    mark = "is-late" if seconds >= LATE_SECONDS else "is-soon" if seconds >= SOON_SECONDS else ""
    return Waiting(lead, asked, asked.created_at, worked, mark)


def _worked(asked: Lead, now: datetime) -> int | None:
    branch = asked.branch
    if branch is None:
        return None
    hours = Hours(branch.opens_at, branch.closes_at, branch.work_days)
    return working_seconds(asked.created_at, now, branch.tz, hours)


def how_many_wait(by: Actor) -> int:
    """At most `MOST_COUNTED`: more than that is "many"."""
    return len(waiting(by).values_list("pk", flat=True)[:MOST_COUNTED])


def lead_of_item(key: str | None) -> int | None:
    """The id of the lead that a work item's `dedupe_key` names, or None."""
    head, sign, rest = (key or "").partition(":")
    number = rest.partition(":")[0]
    return int(number) if head + sign in (CALL_ITEM, WAIT_ITEM, LIMIT_ITEM) and number.isdecimal() else None


def lead_card(lead: Lead) -> LeadCard:
    """Four queries. `lead` is the one that counts."""
    touches = lead.duplicates.select_related("channel").order_by("created_at", "pk")
    bookings = lead.bookings.select_related("visit__doctor").order_by("visit__start_at", "pk")
    return LeadCard(
        lead=lead,
        stages=list(lead.stages.select_related("by").order_by("at", "pk")),
        touches=list(touches),
        offers=list(lead.alternatives.select_related("doctor", "offered_by").order_by("-offered_at", "-pk")),
        bookings=list(bookings),
    )


def standing(by: Actor) -> QuerySet[Lead]:
    """Open leads that count."""
    return visible_leads(by).filter(lost_at=None, duplicate_of=None, is_spam=False)


def board(by: Actor) -> list[Column]:
    """The stages in order: two queries and one a stage, whatever stands there."""
    rules = {rule.stage: rule for rule in StageRule.objects.all()}
    return [_column(stage, rules.get(stage), by) for stage in Stage]


def _column(stage: Stage, rule: StageRule | None, by: Actor) -> Column:
    order = ("stage_at", "id") if stage in WAITING_STAGES else ("-stage_at", "-id")
    rows = standing(by).filter(stage=stage).select_related(*SHOWN).order_by(*order)
    found = list(rows[: COLUMN + 1])
    return Column(stage, str(stage.label), rule, found[:COLUMN], len(found) > COLUMN)


def lead_list(*, by: Actor, chosen: dict[str, Any], after: Key | None) -> tuple[list[Lead], Key | None]:
    """Leads that count, the newest first. `chosen`: stage, channel, kind, reason, state (open, lost, spam), start, end
    (moments); what is missing or empty filters nothing. One query."""
    rows = visible_leads(by).filter(duplicate_of=None, **_conditions(chosen))
    if after is not None:
        rows = rows.filter(Q(created_at__lt=after[0]) | Q(created_at=after[0], pk__lt=after[1]))
    found = list(rows.select_related(*SHOWN).order_by("-created_at", "-id")[: PAGE + 1])
    return found[:PAGE], (found[PAGE - 1].created_at, found[PAGE - 1].pk) if found[PAGE:] else None


STATES: dict[str, dict[str, Any]] = {
    "": {"is_spam": False},
    "open": {"is_spam": False, "lost_at": None},
    "lost": {"is_spam": False, "lost_at__isnull": False},
    "spam": {"is_spam": True},
}


def _conditions(chosen: dict[str, Any]) -> dict[str, Any]:
    names = {"stage": "stage", "channel": "channel", "kind": "kind", "reason": "loss_reason"}
    names |= {"start": "created_at__gte", "end": "created_at__lt"}
    given = {column: chosen[name] for name, column in names.items() if chosen.get(name)}
    return STATES[chosen.get("state") or ""] | given
