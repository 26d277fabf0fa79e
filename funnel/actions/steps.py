"""First-step actions (R52): the catalogue, and what of it was done at a visit."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from core.names import clean_text
from funnel.models import FirstStep, FirstStepMark
from patients.actions.traces import user_id
from patients.models import Visit
from staff.access import Actor
from staff.actions import record


class NameTaken(Exception):
    """The catalogue has a step of that name."""


@transaction.atomic
def mark_first_steps(*, visit: Visit, steps: Collection[int], by: Actor, now: datetime) -> None:
    """These (ids of active lines) were done at the visit. Said twice, it is kept once."""
    if not steps:
        return
    known = FirstStep.objects.filter(pk__in=list(steps), is_active=True)
    marks = [FirstStepMark(visit=visit, step=step, at=now, by_id=user_id(by)) for step in known]
    FirstStepMark.objects.bulk_create(marks, ignore_conflicts=True)
    record(
        by=by, deed="mark_first_steps", now=now, object_kind="visit", object_id=visit.pk, patient_id=visit.patient_id,
        note=f"rows: {len(marks)}",
    )  # fmt: skip


@transaction.atomic
def add_first_step(*, name: str, by: Actor, now: datetime) -> FirstStep:
    """A line of the clinic's own. Raises NameTaken."""
    said = clean_text(name)[:120]
    if not said or any(str(step).casefold() == said.casefold() for step in FirstStep.objects.all()):
        raise NameTaken
    made = FirstStep.objects.create(code=f"own-{uuid4().hex[:12]}", name=said)
    record(by=by, deed="add_first_step", now=now, object_kind="first_step", object_id=made.pk)
    return made


@transaction.atomic
def switch_first_step(*, step: FirstStep, is_active: bool, by: Actor, now: datetime) -> None:
    """Offered on the page of the visit, or not any more. What was ticked stays."""
    FirstStep.objects.filter(pk=step.pk).update(is_active=is_active)
    record(by=by, deed="switch_first_step", now=now, object_kind="first_step", object_id=step.pk, fields=("is_active",))
