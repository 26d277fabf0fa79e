"""Answers of patients: noted once, applied where there is no doubt, else put before a person.

A doubt is anything but one owner of the address and one thing that he was asked: an answer is never applied to all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from core.phones import BadPhone, parse_phone
from messaging.actions.feedback import LOW, note_score
from messaging.actions.plan import queue_message
from messaging.actions.policy import suppress
from messaging.actions.wake import wake_on_commit
from messaging.models import Reply, Suppression
from messaging.queries.asked import Asked, asked_of, is_question, owners_of
from messaging.rules.answers import FEEDBACK, Answer, answer_of
from patients import actions as patients
from patients.actions.booking import MoveNotAllowed
from patients.models import Consent, Patient, WorkItem
from patients.models.contact import ADVERTISES, Purpose
from patients.queries.consents import latest_given
from staff import actions as staff
from staff.access import PATIENT, SYSTEM, Actor
from staff.models import Branch

LONGEST = 4000  # characters kept of an answer
MAKES_SENSE = timedelta(hours=24)  # of an answer
AWAKE = timedelta(hours=1)
Meaning = Reply.Meaning


@dataclass(frozen=True)
class _Case:
    """One answer with all that is known about it."""

    reply: Reply
    answer: Answer
    owners: list[Patient]
    asked: Asked
    by: Actor
    now: datetime

    @property
    def sure(self) -> bool:
        """Who wrote and to which message is beyond doubt."""
        message = self.asked.message
        exact = message is not None and not self.asked.grouped and not self.asked.late
        return exact and (len(self.owners) == 1 or (self.asked.quoted and self.reply.transport == "telegram"))


@staff.one_deed()
def take_reply(
    *,
    transport: str,
    event_id: str,
    address: str,
    text: str,
    received_at: datetime,
    now: datetime,
    answers_hint: str | None = None,
) -> Reply:
    """Note one answer and do what it asks for. The same `event_id` again changes nothing.

    `answers_hint`: our client_id or the provider's id of the message that is answered, where the provider knows it.
    """
    address, text = normal_address(transport, address), text.replace("\x00", "")[:LONGEST]
    at = min(received_at, now)
    reply, fresh = Reply.objects.get_or_create(
        transport=transport,
        event_id=event_id[:120],
        defaults={"address": address, "text": text, "received_at": at},
    )
    if not fresh:
        return reply
    owners = owners_of(transport, address)
    asked = asked_of(transport=transport, address=address, at=at, hint=answers_hint or "")
    question = FEEDBACK if asked.message is not None and is_question(asked.message) else ""
    case = _Case(reply, answer_of(text, question), owners, asked, PATIENT, now)
    _note(case)
    return reply


def normal_address(transport: str, address: str) -> str:
    """As our messages are addressed: phones in E.164 (gateways often leave the + out), mail in small letters."""
    address = address.strip().replace("\x00", "")[:254]
    if transport != "sms":
        return address.lower()
    try:
        international = address if address.startswith(("+", "8")) else f"+{address}"
        return parse_phone(international).number
    except BadPhone:
        return address  # a short code, a name: nobody's phone, but what was written is kept


def _note(case: _Case) -> None:
    reply = case.reply
    reply.meaning = case.answer.meaning
    reply.answers = case.asked.message if len(case.owners) == 1 or case.asked.quoted else None
    reply.patient = case.owners[0] if len(case.owners) == 1 else None
    reply.owners.set(case.owners)
    reply.applied = APPLY.get(case.answer.meaning, _nothing)(case)
    if reply.applied and case.answer.pure:
        reply.answered_at = case.now
    else:
        _to_a_person(case)
    reply.save()
    staff.record(
        by=case.by,
        deed="take_reply",
        now=case.now,
        object_kind="reply",
        object_id=reply.pk,
        patient_id=reply.patient_id,
        note=f"{reply.meaning}, {'applied' if reply.applied else 'not applied'}",
    )


def _nothing(case: _Case) -> bool:
    return False


def _confirm(case: _Case) -> bool:
    """Exactly the visit that the message asked about; another open one that waits for a word makes it a doubt."""
    message = case.asked.message
    if not case.sure or message is None or message.visit is None or message.visit_id not in case.asked.visits:
        return False
    if not case.asked.quoted and case.asked.unconfirmed - {message.visit_id}:
        return False
    try:
        patients.confirm_visit(visit=message.visit, by=case.by, now=case.now)
    except MoveNotAllowed:  # cancelled or over since
        return False
    return True


def _stop(case: _Case) -> bool:
    """At once and for the address, whoever's it is; the ledger where it is one person's. One answer a day says so."""
    reply, by, now = case.reply, case.by, case.now
    if len(case.owners) == 1:
        for purpose in ADVERTISES:
            _withdraw(case, case.owners[0], purpose)
    suppress(
        transport=reply.transport,
        address=reply.address,
        kind=Suppression.Kind.UNSUBSCRIBED,
        detail=f"reply {reply.pk}",
        by=by,
        now=now,
    )
    message = case.asked.message
    person = (message.patient if message else None) or (case.owners[0] if case.owners else None)
    if person is not None:
        with override(language_of(person)):
            text = _("We will send you no more advertising here. Messages about your visits still come.")
        say(reply=reply, patient=person, key=f"stop:{reply.transport}:{reply.address}:{now:%Y%m%d}", text=text, now=now)
    return True


def _withdraw(case: _Case, patient: Patient, purpose: str) -> None:
    transport = case.reply.transport
    if latest_given(patient=patient, purpose=purpose, transport=transport, now=case.now) is False:
        return
    patients.withdraw(
        patient=patient,
        purpose=purpose,
        transport=transport,
        how=Consent.How.REPLY.value,
        evidence=f"№ {case.reply.pk}: {case.reply.text[:100]}",
        by=case.by,
        now=case.now,
    )


def _score(case: _Case) -> bool:
    message, score = case.asked.message, case.answer.score
    if not case.sure or message is None or message.visit is None or score is None:
        return False
    if not case.asked.quoted and case.asked.scores - {message.visit_id}:
        return False
    note_score(reply=case.reply, visit=message.visit, score=score, by=case.by, now=case.now)
    return True


APPLY: dict[str, Callable[[_Case], bool]] = {Meaning.CONFIRM: _confirm, Meaning.STOP: _stop, Meaning.SCORE: _score}


def _to_a_person(case: _Case) -> None:
    """The inbox's timer runs from now on; the work list has it too. A low score of nobody sure is still somebody's pain."""
    reply, message = case.reply, case.asked.message
    visit = message.visit if message is not None and case.sure else None
    low = case.answer.score is not None and case.answer.score <= LOW and not reply.applied
    with override(settings.LANGUAGE_CODE):
        words = {"text": reply.text[:200]}
        asks = _("Asks to cancel: %(text)s") if reply.meaning == Meaning.CANCEL else _("Wrote: %(text)s")
        note = asks % words
    patients.open_work_item(
        kind=WorkItem.Kind.UNHAPPY if low else WorkItem.Kind.REPLY,
        due_at=reply.received_at,
        patient=reply.patient,
        visit=visit,
        branch=_branch(case),
        note=note,
        dedupe_key=work_key(reply.pk),
        by=SYSTEM,
        now=case.now,
    )


def work_key(reply_id: int) -> str:
    return f"reply:{reply_id}"


def _branch(case: _Case) -> Branch | None:
    """The one branch of all who may have written; None = everybody's."""
    message = case.asked.message
    if case.sure and message is not None and message.visit is not None:
        return message.visit.branch
    branches = {owner.branch_id: owner.branch for owner in case.owners}
    return next(iter(branches.values())) if len(branches) == 1 else None


def language_of(patient: Patient) -> str:
    return patient.language or settings.LANGUAGE_CODE


def say(*, reply: Reply, patient: Patient, key: str, text: str, now: datetime) -> None:
    """One service message back to where the answer came from; the same `key` again says nothing.

    Who has just written is awake: no quiet hours for an hour.
    """
    queue_message(
        dedupe_key=key[:120],
        purpose=Purpose.SERVICE,
        transport=reply.transport,
        address=reply.address,
        text=text,
        tz=patient.tz or patient.branch.tz,
        language=language_of(patient),
        now=now,
        expires_at=now + MAKES_SENSE,
        patient=patient,
        urgent=now - reply.received_at < AWAKE,
    )
    wake_on_commit(reply.transport)
