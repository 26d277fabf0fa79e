"""The relay of a visit: opened on arrival, handed on and taken by one tap, told at the end, explained when it broke."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from core.names import clean_text
from core.sql import id_list
from funnel.actions.steps import mark_first_steps
from funnel.models import BreakReason, HandoffStep, Relay, RelayTemplate
from funnel.queries.handoff import me, template_of
from funnel.rules.handoff import ENDS, given_by, hands_of
from patients.actions.traces import user_id
from patients.models import Visit
from staff.access import Actor
from staff.actions import one_deed, record
from staff.models import User
from staff.models.access import Role

CURATOR_WITHIN = timedelta(days=2)  # after that the visit is history: nobody is asked to talk of it


class AlreadyTaken(Exception):
    """Somebody took the baton, or it was dropped, a moment before."""


class NotYours(Exception):
    """The baton is for other hands, or it is not this person's to give."""


class NotItsTurn(Exception):
    """An earlier step of the chain is not over yet, or this one is handed already."""


@dataclass(frozen=True)
class HandReport:
    """What is ticked when the visit is logged. `passed`: positions of steps that took place; `whole`: all of them."""

    passed: Collection[int] = ()
    whole: bool = False
    break_reason: str = ""
    presented: bool = False
    first_steps: Collection[int] = ()  # ids of the catalogue


@transaction.atomic
def open_relay(*, visit: Visit, by: Actor, now: datetime) -> Relay | None:
    """The chain that fits the visit's doctor, its first step handed to him; None when no chain fits. Once a visit."""
    found = Relay.objects.filter(visit=visit).first()
    template = None if found else template_of(visit.doctor.speciality)
    if found or template is None or not template.kinds:
        return found
    return _opened(visit, template, by, now)


def _opened(visit: Visit, template: RelayTemplate, by: Actor, now: datetime) -> Relay:
    relay, made = Relay.objects.get_or_create(
        visit=visit,
        defaults={"limit_minutes": template.limit_minutes, "opened_at": now, "opened_by_id": user_id(by)},
    )
    if made:
        steps = [
            HandoffStep(
                relay=relay,
                position=place,
                kind=kind,
                to_role=ENDS[kind][1],
                to_doctor_id=visit.doctor_id if kind == HandoffStep.Kind.ADMIN_DOCTOR else None,
                to_user_id=_curator(visit) if kind == HandoffStep.Kind.DOCTOR_CURATOR else None,
            )
            for place, kind in enumerate(template.kinds)
        ]
        if steps[0].kind == HandoffStep.Kind.ADMIN_DOCTOR:
            _put_in_the_air(steps[0], relay, by, now)
        HandoffStep.objects.bulk_create(steps)
    return relay


def _curator(visit: Visit) -> int | None:
    person = visit.patient.canonical or visit.patient
    return person.curator_id if person.curator and person.curator.is_active else None


def _put_in_the_air(step: HandoffStep, relay: Relay, by: Actor, now: datetime) -> None:
    step.from_user_id, step.handed_at = user_id(by), now
    step.late_at = now + timedelta(minutes=relay.limit_minutes)


@transaction.atomic
def hand_over(*, step: HandoffStep, by: Actor, now: datetime) -> HandoffStep:
    """The baton is in the air. Raises NotYours, NotItsTurn."""
    relay = Relay.objects.select_for_update(of=("self",)).select_related("visit").get(pk=step.relay_id)
    current = HandoffStep.objects.get(pk=step.pk)
    if not _may_give(current, relay.visit, by):
        raise NotYours
    earlier = relay.steps.filter(position__lt=current.position, acknowledged_at=None, dropped_at=None)
    if current.handed_at or current.dropped_at or earlier.exists():
        raise NotItsTurn
    _put_in_the_air(current, relay, by, now)
    current.save(update_fields=["from_user", "handed_at", "late_at"])
    _noted(current, relay.visit, "hand_over", by, now)
    return current


def _may_give(step: HandoffStep, visit: Visit, by: Actor) -> bool:
    """Whoever has such hands; of doctors, the visit's own."""
    if step.kind not in given_by(by.role):
        return False
    return hands_of(by.role) != Role.DOCTOR or User.objects.filter(pk=me(by), doctor=visit.doctor_id).exists()


@transaction.atomic
def take_baton(*, step: HandoffStep, by: Actor, now: datetime) -> None:
    """One tap of the one who takes over; of two who tap at once the first has it. Raises NotYours, AlreadyTaken."""
    current = HandoffStep.objects.select_related("relay__visit").get(pk=step.pk)
    if not _for(current, by):
        raise NotYours
    in_the_air = HandoffStep.objects.filter(pk=step.pk, handed_at__isnull=False, acknowledged_at=None, dropped_at=None)
    if not in_the_air.update(acknowledged_at=now, acknowledged_by=user_id(by)):
        raise AlreadyTaken
    _noted(current, current.relay.visit, "take_baton", by, now)


def _for(step: HandoffStep, by: Actor) -> bool:
    """A named person, the doctor of the visit, or whoever has such hands."""
    if step.to_user_id:
        return step.to_user_id == me(by)
    if step.to_doctor_id:
        return User.objects.filter(pk=me(by), doctor=step.to_doctor_id).exists()
    return step.to_role == hands_of(by.role)


@transaction.atomic
def drop_baton(*, step: HandoffStep, reason: str, by: Actor, now: datetime) -> None:
    """The step did not take place, and why; the next one may follow. The first such reason explains the whole relay.

    Raises NotYours, AlreadyTaken; ValueError for an unknown reason.
    """
    said = BreakReason(reason)
    relay = Relay.objects.select_for_update(of=("self",)).select_related("visit").get(pk=step.relay_id)
    if not (_for(step, by) or _may_give(step, relay.visit, by)):
        raise NotYours
    open_step = HandoffStep.objects.filter(pk=step.pk, acknowledged_at=None, dropped_at=None)
    if not open_step.update(dropped_at=now, drop_reason=said):
        raise AlreadyTaken
    if not relay.break_reason and said != BreakReason.NOT_NEEDED:
        _explained(relay, said, "", by)
    _noted(step, relay.visit, "drop_baton", by, now)


def _explained(relay: Relay, reason: str, note: str, by: Actor) -> None:
    relay.break_reason, relay.break_note, relay.broken_by_id = reason, clean_text(note)[:300], user_id(by)
    relay.save(update_fields=["break_reason", "break_note", "broken_by"])


@one_deed()
def settle_relay(*, visit: Visit, report: HandReport, by: Actor, now: datetime) -> Relay | None:
    """What the desk says of the hand-off when it logs the visit. Steps that were taken before stay as they are.

    A visit without a chain gets a relay only when something is said of it. Harmless when repeated.
    """
    relay = open_relay(visit=visit, by=by, now=now)
    if relay is None and (report.presented or report.break_reason):
        relay, _made = Relay.objects.get_or_create(
            visit=visit, defaults={"opened_at": now, "opened_by_id": user_id(by)}
        )
    mark_first_steps(visit=visit, steps=report.first_steps, by=by, now=now)
    if relay is None:
        return None
    _tick(relay, report, by, now)
    has_chain = relay.steps.exists()
    relay.presented = True if report.presented else (False if has_chain else relay.presented)
    relay.save(update_fields=["presented"])
    if report.break_reason and not relay.break_reason:
        _explained(relay, BreakReason(report.break_reason), "", by)
    fields = ("steps", "presented", "break_reason")
    record(
        by=by, deed="settle_relay", now=now, object_kind="visit", object_id=visit.pk, patient_id=visit.patient_id,
        fields=fields,
    )  # fmt: skip
    return relay


def _tick(relay: Relay, report: HandReport, by: Actor, now: datetime) -> None:
    """Two statements: what nobody handed was handed now, and both count as taken. Who took it is not known: nobody."""
    ticked = relay.steps.filter(acknowledged_at=None, dropped_at=None)
    if not report.whole:
        ticked = ticked.filter(position__in=list(report.passed))
    late = now + timedelta(minutes=relay.limit_minutes)
    ticked.filter(handed_at=None).update(handed_at=now, late_at=late, from_user=user_id(by))
    ticked.update(acknowledged_at=now)


@transaction.atomic
def explain_break(*, visit: Visit, reason: str, note: str, by: Actor, now: datetime) -> Relay:
    """Why the visit ended without the whole chain, or without the next booking. ValueError for an unknown reason."""
    said = BreakReason(reason)
    relay, _made = Relay.objects.get_or_create(visit=visit, defaults={"opened_at": now, "opened_by_id": user_id(by)})
    _explained(relay, said, note, by)
    record(
        by=by, deed="explain_break", now=now, object_kind="visit", object_id=visit.pk, patient_id=visit.patient_id,
        fields=("break_reason", "break_note"),
    )  # fmt: skip
    return relay


@transaction.atomic
def set_chain(*, speciality: str, kinds: Sequence[str], limit_minutes: int, by: Actor, now: datetime) -> RelayTemplate:
    """The chain of a speciality from now on; relays that are open keep theirs. No kinds: visits there are no relay."""
    made, _new = RelayTemplate.objects.update_or_create(
        speciality=clean_text(speciality)[:120],
        defaults={"kinds": [HandoffStep.Kind(kind).value for kind in kinds], "limit_minutes": limit_minutes},
    )
    record(
        by=by, deed="set_chain", now=now, object_kind="relay_template", object_id=made.pk,
        fields=("kinds", "limit_minutes"),
    )  # fmt: skip
    return made


CURATOR_WORK = """INSERT INTO patients_workitem (kind, patient_id, visit_id, branch_id, assignee_id, due_at, note, status,
    outcome, created_at, dedupe_key)
SELECT 'curator', v.patient_id, v.id, v.branch_id, u.id, %s, '', 'open', '', %s, 'curator:' || v.id
FROM patients_visit v JOIN patients_patient p ON p.id = v.patient_id
JOIN patients_patient root ON root.id = COALESCE(p.canonical_id, p.id)
JOIN staff_user u ON u.id = root.curator_id AND u.is_active
LEFT JOIN funnel_relay r ON r.visit_id = v.id
WHERE v.id IN {ids} AND v.status = 'completed' AND v.start_at >= %s AND NOT root.is_test
    AND root.natural_churn_reason <> 'died' AND r.presented IS NOT TRUE
ON CONFLICT DO NOTHING"""


@transaction.atomic
def open_curator_work(*, visits: Collection[int], now: datetime) -> int:
    """The patient's curator talks to him after the visit (R53), unless the clinic was presented to him there (R55).

    One statement whatever the number of visits; once a visit. Returns the number of new work items.
    """
    at, since = (connection.ops.adapt_datetimefield_value(one) for one in (now, now - CURATOR_WITHIN))
    with connection.cursor() as cursor:
        cursor.execute(CURATOR_WORK.format(ids=id_list(visits)), [at, at, since])
        return int(cursor.rowcount)


def _noted(step: HandoffStep, visit: Visit, deed: str, by: Actor, now: datetime) -> None:
    record(
        by=by, deed=deed, now=now, object_kind="handoff_step", object_id=step.pk, patient_id=visit.patient_id,
        note=step.kind,
    )  # fmt: skip
