"""What a telephony provider says becomes calls, leads, first answers and call-backs (R96).

Events come in any order, more than once and many at a time. Each call is taken in a transaction of its own under a lock of
its id and of the number outside; it is folded anew from all its events, so that every order ends the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from core.names import clean_text
from funnel.actions.incoming import KEY, Enquiry, answer_lead, patient_of, take_lead
from funnel.models import Call, CallEvent, Lead, LeadStage, Operator, TelephonyLine
from funnel.queries.calls import UNANSWERED, not_settled
from funnel.rules.calls import ANSWERED, IN, OUT, Built, Said, build_call
from patients.actions.work import close_work_item, open_work_item
from patients.models import Touchpoint, WorkItem
from patients.models.contact import Purpose
from patients.models.person import Transport
from staff import actions as staff
from staff.access import Actor
from staff.actions.journal import ChangedRow, note_changes

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # a clock that says less is broken, and is no date to count from
AHEAD, LONGEST_TALK = timedelta(days=1), 86_400
TIMES = frozenset({"at", "started_at", "answered_at", "ended_at"})


class BadEvent(ValueError):
    """No event of a call: names the field."""


class AlreadyExplained(Exception):
    """Somebody has said already why nobody called back, or the person was talked to."""


def take_call_events(*, line: TelephonyLine, events: Iterable[Said], by: Actor, now: datetime) -> int:
    """How many of the events were new. Raises BadEvent before anything is stored.

    One transaction a call, not one of all: a lead and a work item are single things, and a page of a report that breaks
    off in the middle is simply taken again.
    """
    told = [_checked(said, now) for said in events]
    stored = _stored(line, told) if len(told) > 1 else set()  # a single one is looked up under its lock
    calls: dict[str, list[Said]] = defaultdict(list)
    for said in told:
        if said.event_id not in stored:
            calls[said.call_id].append(said)
    return sum(_take(line, call_id, said, by, now) for call_id, said in calls.items())


def _stored(line: TelephonyLine, told: Sequence[Said]) -> set[str]:
    """A report says mostly what is known: those calls need no lock."""
    known = CallEvent.objects.filter(source=line.source_id, event_id__in={said.event_id for said in told})
    return set(known.values_list("event_id", flat=True))


def _checked(said: Said, now: datetime) -> Said:
    values = asdict(said)
    for name, value in values.items():
        if isinstance(value, str):
            value.encode()  # half a surrogate pair: UnicodeEncodeError, a ValueError
        if isinstance(value, str) and "\x00" in value:
            raise BadEvent(name)
        if name in TIMES and value is not None and not EARLIEST <= value <= now + AHEAD:
            raise BadEvent(name)
    for name, most in (("call_id", 120), ("event_id", 160), ("extension", 60), ("recording", 500)):
        if len(values[name]) > most:
            raise BadEvent(name)
    if not said.call_id or not said.event_id or not 0 <= (said.talk_seconds or 0) <= LONGEST_TALK:
        raise BadEvent("call_id, event_id or talk_seconds")
    return said


def _take(line: TelephonyLine, call_id: str, said: Sequence[Said], by: Actor, now: datetime) -> int:
    """`one_deed`: the audit entries are written last, so that no row is waited for with the audit's head in hand."""
    with transaction.atomic(), staff.one_deed():
        lock(f"call:{line.source_id}:{call_id}")
        call = Call.objects.filter(source=line.source_id, external_id=call_id).first()
        call = call or Call(source_id=line.source_id, external_id=call_id, branch_id=line.branch_id)
        fresh = _kept(line, call, said, now)
        if not fresh:
            return 0
        _fold(call, build_call(_said(event.said) for event in call.events.all()), line)
        lock(call.other_number)
        _follow(call, by, now)
        row = ChangedRow(call.pk, line.source.code, call.external_id, call.branch_id)
        note_changes(resource="calls", rows=[row], now=now)
    return fresh


def lock(key: str) -> None:
    """Waits for whoever takes the same call or number just now. (On SQLite BEGIN IMMEDIATE does.)

    The order call, number, and then what `take_lead` locks holds everywhere: no two wait for each other.
    """
    if key and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(KEY, [key])


def _kept(line: TelephonyLine, call: Call, said: Sequence[Said], now: datetime) -> int:
    if call._state.adding:
        call.started_at = min(one.started_at or one.at for one in said)
        call.save()
    stored = set(call.events.values_list("event_id", flat=True))
    fresh = {one.event_id: one for one in said if one.event_id not in stored}
    CallEvent.objects.bulk_create(
        [
            CallEvent(call=call, source_id=line.source_id, event_id=event_id, said=_words(one), received_at=now)
            for event_id, one in fresh.items()
        ],
        ignore_conflicts=True,  # an event id that another call of this source has used is no news
    )
    return len(fresh)


def _words(said: Said) -> dict[str, Any]:
    return {name: value.isoformat() if name in TIMES and value else value for name, value in asdict(said).items()}


def _said(words: dict[str, Any]) -> Said:
    values: dict[str, Any] = {field.name: words[field.name] for field in fields(Said) if field.name in words}
    values |= {name: datetime.fromisoformat(values[name]) for name in TIMES if values.get(name)}
    return Said(**values)


def _fold(call: Call, built: Built, line: TelephonyLine) -> None:
    for name in [
        "direction",
        "from_number",
        "to_number",
        "called_number",
        "extension",
        "started_at",
        "talk_seconds",
        "outcome",
        "recording",
    ]:
        setattr(call, name, getattr(built, name))
    call.ended_at = max(built.ended_at, built.started_at) if built.ended_at else None
    answered = built.answered_at
    if answered is None and call.ended_at and built.talk_seconds:  # a report says how long, not when
        answered = call.ended_at - timedelta(seconds=built.talk_seconds)
    call.answered_at = max(answered, built.started_at) if answered else None
    operators = Operator.objects.filter(source=line.source_id, extension=call.extension)
    call.operator_id = operators.values_list("user_id", flat=True).first() if call.extension else None
    if call.patient_id is None:
        call.patient = patient_of(call.other_number)


def _follow(call: Call, by: Actor, now: datetime) -> None:
    """What comes of the call as far as it is known; a second time it changes nothing."""
    if call.direction == IN:
        _lead_of(call, by, now)
    call.save()
    if call.outcome == ANSWERED:
        _answer(call, by, now)
        _touch(call)
    settle_calls(numbers={call.other_number}, by=by, now=now)
    if call.direction == IN and call.outcome in UNANSWERED:
        _answered_later(call, by, now)
        _call_back(call, by, now)


def _lead_of(call: Call, by: Actor, now: datetime) -> None:
    if call.lead_id is None:
        enquiry = Enquiry(
            kind=Lead.Kind.CALL,
            created_at=call.started_at,
            source=call.source,
            external_id=call.external_id,
            phone=call.from_number,
            called_number=call.called_number,
            branch=call.branch,
            patient=call.patient,
            door="call",
        )
        call.lead = take_lead(enquiry=enquiry, by=by, now=now)
    lead, began = call.lead, call.started_at  # an event that came late may tell of an earlier beginning
    assert lead is not None
    if Lead.objects.filter(pk=lead.pk, created_at__gt=began).update(created_at=began):
        LeadStage.objects.filter(lead=lead, stage="lead", at__gt=began).update(at=began)


def _answer(call: Call, by: Actor, now: datetime) -> None:
    """The first answer: of the call's own lead, or of the lead whose number was called."""
    lead = call.lead
    if call.direction == OUT and call.to_number:
        waiting = Lead.objects.filter(phone=call.to_number, duplicate_of=None, lost_at=None, first_response_at=None)
        lead = waiting.filter(created_at__lte=call.answered_at or call.started_at).order_by("created_at").first()
        call.lead = call.lead or lead
    if lead is not None:
        answer_lead(lead=lead, by=by, now=now, at=call.answered_at or call.started_at, user=call.operator)
        Call.objects.filter(pk=call.pk).update(lead=call.lead)


def _answered_later(call: Call, by: Actor, now: datetime) -> None:
    """The talk was told of before the call that it answers."""
    talk = _talks(Q(direction=OUT, to_number=call.from_number), call.started_at).select_related("operator").first()
    if call.from_number and call.lead is not None and talk is not None:
        answer_lead(lead=call.lead, by=by, now=now, at=talk.answered_at or talk.started_at, user=talk.operator)


def _touch(call: Call) -> None:
    """A talk is a contact with the patient (R43), once."""
    if call.patient_id is None or call.ended_at is None:
        return
    Touchpoint.objects.get_or_create(
        dedupe_key=f"call:{call.pk}",
        defaults={
            "patient_id": call.patient_id,
            "at": call.started_at,
            "kind": "call",
            "direction": call.direction if call.direction in (IN, OUT) else "",
            "transport": Transport.CALL,
            "purpose": Purpose.SERVICE,
            "outcome": "reached",
            "user_id": call.operator_id,
        },
    )


def settle_calls(*, numbers: Iterable[str], by: Actor, now: datetime) -> None:
    """Missed calls of these numbers that were followed by a talk are settled, and their work items closed."""
    known = {number for number in numbers if number}
    missed = Call.objects.filter(direction=IN, outcome__in=UNANSWERED, called_back_at=None, from_number__in=known)
    same = Q(direction=IN, from_number=OuterRef("from_number")) | Q(direction=OUT, to_number=OuterRef("from_number"))
    talks = _talks(same, OuterRef("started_at"))
    missed.filter(Exists(talks)).update(
        called_back_at=Subquery(talks.values_list(Coalesce("answered_at", "started_at"))[:1])
    )
    for item in _idle_items(known):
        close_work_item(item=item, outcome="done", by=by, now=now)


def _talks(same: Q, after: datetime | OuterRef) -> QuerySet[Call]:
    talks = Call.objects.filter(same, outcome=ANSWERED, started_at__gt=after)
    return talks.order_by(Coalesce("answered_at", "started_at"))


def _idle_items(numbers: set[str]) -> list[WorkItem]:
    """Open call-backs of these numbers for which no missed call waits any more: one or two at most."""
    open_ones = WorkItem.objects.filter(status=WorkItem.Status.OPEN, missed_calls__from_number__in=numbers)
    waiting = not_settled().filter(missed_item=OuterRef("pk"))
    found = open_ones.filter(~Exists(waiting)).values_list("pk", flat=True)
    return list(WorkItem.objects.select_for_update().filter(pk__in=list(found), status=WorkItem.Status.OPEN))


def _call_back(call: Call, by: Actor, now: datetime) -> None:
    """A work item that is due at once; one a number while it is open, with how often they called. None without a number."""
    waits = not_settled().filter(pk=call.pk, missed_item=None).exists()
    if not waits or not call.from_number:
        return
    standing = Call.objects.filter(from_number=call.from_number, missed_item__status=WorkItem.Status.OPEN)
    pk = standing.values_list("missed_item", flat=True).first()
    item = WorkItem.objects.select_for_update().filter(pk=pk, status=WorkItem.Status.OPEN).first() if pk else None
    if item is None:
        item = open_work_item(
            kind=WorkItem.Kind.CALL_BACK,
            due_at=min(call.ended_at or call.started_at, now),
            by=by,
            now=now,
            patient=call.patient,
            branch=call.branch,
            note=call.from_number,
            dedupe_key=f"call:{call.pk}",
        )
    Call.objects.filter(pk=call.pk).update(missed_item=item)
    times = item.missed_calls.count()  # a person's calls of an hour, not a table
    if times > 1:
        WorkItem.objects.filter(pk=item.pk).update(note=f"{call.from_number} · ×{times}")


@transaction.atomic
def explain_call(*, call: Call, reason: str, by: Actor, now: datetime) -> None:
    """Why nobody called back (R96). Raises AlreadyExplained, ValueError without a reason."""
    words = clean_text(reason)[:300]
    if not words:
        raise ValueError("reason")
    with staff.one_deed():
        lock(call.from_number)
        said = {"explained_reason": words, "explained_at": now, "explained_by_id": by.id if by.kind == "user" else None}
        if not Call.objects.filter(pk=call.pk, called_back_at=None, explained_at=None).update(**said):
            raise AlreadyExplained
        for item in _idle_items({call.from_number} - {""}):
            close_work_item(item=item, outcome="dropped", note=words, by=by, now=now)
        staff.record(
            by=by, deed="explain_call", now=now, object_kind="call", object_id=call.pk, patient_id=call.patient_id
        )
