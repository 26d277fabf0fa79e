"""The proof pack: for one message or one patient, on what every advertisement stood (R28, R29; beyond.md 10)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from messaging.models import Message
from patients.models import Consent, ConsentText, Patient
from patients.models.contact import ADVERTISES

LATEST = 200  # messages on one page: a regulator asks about one; the rest are found by their numbers


@dataclass(frozen=True)
class Line:
    """A line of the ledger with the words that it quotes; `body` is empty when they were never given to us."""

    consent: Consent
    body: str


@dataclass(frozen=True)
class Proof:
    """`stood_on` maps consents by id, so that each message shows the line that let it go out."""

    patient: Patient
    ledger: list[Line]
    messages: list[Message]
    more: bool

    @property
    def stood_on(self) -> dict[int, Line]:
        return {line.consent.pk: line for line in self.ledger}


def _group(patient: Patient) -> Q:
    return Q(patient=patient.root_id) | Q(patient__canonical=patient.root_id)


def _ledger(patient: Patient) -> list[Line]:
    """Every line of all his records, oldest first. Quoted by hash: another text of the same name is another text."""
    lines = list(Consent.objects.filter(_group(patient)).order_by("at", "id"))
    hashes = {line.text_hash for line in lines} - {""}
    words = dict(ConsentText.objects.filter(hash__in=hashes).values_list("hash", "body"))
    return [Line(line, words.get(line.text_hash, "")) for line in lines]


def _messages(patient: Patient) -> list[Message]:
    related = ("approval__approved_by", "consent", "source")
    found = Message.objects.filter(_group(patient), purpose__in=ADVERTISES).select_related(*related)
    return list(found.prefetch_related("events").order_by("-id")[: LATEST + 1])


def patient_proof(patient: Patient) -> Proof:
    """The ledger and the last advertisements of one canonical patient. Five queries."""
    messages = _messages(patient)
    return Proof(patient, _ledger(patient), messages[:LATEST], more=len(messages) > LATEST)


def message_proof(message: Message) -> Proof:
    """The same for one message. Raises ValueError for a message to an employee."""
    if message.patient is None:
        raise ValueError("a message to an employee stands on no consent")
    patient = message.patient.canonical or message.patient
    related = ("approval__approved_by", "consent", "source")
    one = Message.objects.select_related(*related).prefetch_related("events").get(pk=message.pk)
    return Proof(patient, _ledger(patient), [one], more=False)
