"""What a person does with an answer that the machine could not settle: answer it, close it, or say that it is nobody's."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import CharField, Exists, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _
from django.utils.translation import override

from messaging.actions.policy import suppress
from messaging.actions.replies import say, work_key
from messaging.models import Reply, Suppression
from patients import actions as patients
from patients.actions.traces import user_id
from patients.actions.work import AlreadyClosed
from patients.models import Patient, WorkItem
from staff import actions as staff
from staff.access import Actor

SOON = timedelta(days=1)


class AlreadyAnswered(Exception):
    """A colleague was quicker."""


class NobodyToAnswer(Exception):
    """No patient is known to whom the answer could be sent."""


@staff.one_deed()
def answer_reply(*, reply: Reply, patient: Patient, text: str, by: Actor, now: datetime) -> None:
    """Send these very words back. They never reach a template engine or the language of placeholders.

    `patient`: who is answered, one of `reply.owners`. Raises AlreadyAnswered, NobodyToAnswer.
    """
    if not reply.owners.filter(pk=patient.pk).exists():
        raise NobodyToAnswer
    _take(reply, "answered", by, now)
    say(reply=reply, patient=patient, key=f"answer:{reply.pk}", text=text, now=now)


@staff.one_deed()
def close_reply(*, reply: Reply, by: Actor, now: datetime) -> None:
    """Dealt with otherwise (a call, nothing to say). Raises AlreadyAnswered."""
    _take(reply, "handled", by, now)


@staff.one_deed()
def wrong_number(*, reply: Reply, by: Actor, now: datetime) -> None:
    """A stranger answers from there: the address is out of use for everybody, and its owners' cards need another.

    Raises AlreadyAnswered.
    """
    _take(reply, "wrong_number", by, now)
    kind, detail = Suppression.Kind.WRONG_NUMBER, f"reply {reply.pk}"
    suppress(transport=reply.transport, address=reply.address, kind=kind, detail=detail, by=by, now=now)
    with override(settings.LANGUAGE_CODE):
        note = _("The number on the card belongs to somebody else: ask for the right one.")
    for owner in reply.owners.select_related("branch")[:20]:
        patients.open_work_item(
            kind=WorkItem.Kind.UNREACHABLE,
            due_at=now + SOON,
            patient=owner,
            note=note,
            dedupe_key=f"wrong:{reply.transport}:{reply.pk}:{owner.pk}",
            by=by,
            now=now,
        )


def _take(reply: Reply, how: str, by: Actor, now: datetime) -> None:
    """Stop the timer of this answer and of what the same address wrote before it; close their work items.

    The UPDATE decides who was first: two colleagues cannot both answer.
    """
    waiting = Reply.objects.filter(pk=reply.pk, answered_at=None)
    if not waiting.update(answered_at=now, answered_by_id=user_id(by)):
        raise AlreadyAnswered
    before = Reply.objects.filter(transport=reply.transport, address=reply.address, answered_at=None)
    earlier = list(before.filter(received_at__lte=reply.received_at).values_list("pk", flat=True)[:100])
    Reply.objects.filter(pk__in=earlier).update(answered_at=now, answered_by_id=user_id(by))
    keys = [work_key(reply.pk), *(work_key(pk) for pk in earlier)]
    for item in WorkItem.objects.filter(dedupe_key__in=keys, status=WorkItem.Status.OPEN):
        _close(item, by, now)
    staff.record(
        by=by,
        deed="answer_replies",
        now=now,
        object_kind="reply",
        object_id=reply.pk,
        patient_id=reply.patient_id,
        note=f"{how} after {int((now - reply.received_at).total_seconds())} s",
    )


def _close(item: WorkItem, by: Actor, now: datetime) -> None:
    try:
        patients.close_work_item(item=item, outcome="done", by=by, now=now)
    except AlreadyClosed:  # from the work list, this moment: just as well
        return


def stop_timers() -> int:
    """Answers whose work item was closed in the work list are answered: the tick takes over when and by whom."""
    key = Concat(Value("reply:"), Cast(OuterRef("pk"), CharField()), output_field=CharField())
    closed = WorkItem.objects.filter(dedupe_key=key).exclude(status=WorkItem.Status.OPEN)
    rows = Reply.objects.filter(Exists(closed), answered_at=None)
    return rows.update(
        answered_at=Subquery(closed.values("closed_at")[:1]), answered_by=Subquery(closed.values("closed_by")[:1])
    )
