"""Why was this sent, or not: the policy's answer in words, as it stands in the message and for whoever asks ahead."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.formats import day, moment
from messaging.models import Message
from messaging.models.outbox import Basis, Reason, State
from messaging.models.words import in_words
from messaging.rules.policy import Answer, Word
from patients.models.person import Transport

HEADS = {
    State.QUEUED: gettext_lazy("Waits"),
    State.CLAIMED: gettext_lazy("Is being handed over"),
    State.INFLIGHT: gettext_lazy("Is being handed over"),
    State.SENT: gettext_lazy("Sent"),
    State.DELIVERED: gettext_lazy("Sent and delivered"),
    State.UNDELIVERED: gettext_lazy("Sent, but it did not arrive"),
    State.SKIPPED: gettext_lazy("Not sent"),
    State.REFUSED: gettext_lazy("Not sent"),
    State.EXPIRED: gettext_lazy("Not sent, too late by now"),
    State.UNKNOWN: gettext_lazy("Nobody knows whether it was sent"),
}
WENT = (State.INFLIGHT, State.SENT, State.DELIVERED, State.UNDELIVERED, State.UNKNOWN)


@dataclass(frozen=True)
class Why:
    """`head`: what became of it and the reason; `lines`: what it stood on, and what was counted."""

    head: str
    lines: list[str]


def with_reasons(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Everything that `why` reads, in one query."""
    return messages.select_related("consent", "approval__approved_by", "grouped_into")


def why(message: Message) -> Why:
    state = State(message.state)
    head = str(HEADS[state])
    if state is State.QUEUED:
        head = _("Waits until %(moment)s") % {"moment": moment(message.not_before)}
    if message.reason:
        head = f"{head}: {message.reason_said}"
    return Why(head, [*_stood_on(message, state), *_counted(message)])


def _stood_on(message: Message, state: State) -> list[str]:
    """The lawful basis of what went out: kept in the row, whatever changed since."""
    if state not in WENT or not message.basis:
        return []
    if message.basis != Basis.CONSENT:
        return [str(Basis(message.basis).label)]
    lines = []
    if message.consent is not None:
        at, how = day(message.consent.at), message.consent.get_how_display()
        lines.append(_("stands on the consent of %(day)s (%(how)s)") % {"day": at, "how": how})
    if message.approval is not None:
        by, at = message.approval.approved_by.full_name, day(message.approval.approved_at)
        lines.append(_("approved by %(name)s on %(day)s") % {"name": by, "day": at})
    return lines


def _counted(message: Message) -> list[str]:
    if message.cap_used is None:
        return []
    if message.cap is not None:
        return [_("contacts of the period: %(used)s of %(cap)s") % {"used": message.cap_used, "cap": message.cap}]
    return [_("contacts of the period: %(used)s") % {"used": message.cap_used}]


def answer_said(answer: Answer, transport: str) -> str:
    """'yes', 'not now: …, from … on' or 'no: …'."""
    if answer.word is Word.SEND:
        return _("yes")
    reason = in_words(Reason(answer.reason), transport)
    if answer.word is Word.HOLD and answer.until is not None:
        return _("not before %(moment)s: %(reason)s") % {"moment": moment(answer.until), "reason": reason}
    return _("no: %(reason)s") % {"reason": reason}


def offer_said(answer: Answer) -> str:
    """Whether a person may call about an offer, as one sentence."""
    if answer.word is Word.SEND:
        return _("You may call about an offer.")
    reason = in_words(Reason(answer.reason), Transport.CALL)
    if answer.word is Word.HOLD and answer.until is not None:
        words = {"moment": moment(answer.until), "reason": reason}
        return _("Do not call about an offer before %(moment)s: %(reason)s.") % words
    return _("Do not call about an offer: %(reason)s.") % {"reason": reason}
