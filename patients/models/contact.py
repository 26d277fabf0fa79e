from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.person import Patient, Transport
from patients.models.visit import Visit
from staff.models import Branch, User
from staff.models.base import Sourced


class Purpose(models.TextChoices):
    """What a contact is for. A reminder with a discount is an advertisement (R124)."""

    PROCESSING = "processing", _("processing of personal data")
    SERVICE = "service", _("service messages")
    FEEDBACK = "feedback", _("feedback requests")
    MARKETING = "marketing", _("advertising")
    HEALTH_OFFERS = "health_offers", _("offers based on health data")


# What advertises: it needs a proven consent and a named approval (38-FZ art. 18).
ADVERTISES = (Purpose.MARKETING.value, Purpose.HEALTH_OFFERS.value)
OWN_WAYS = ("link", "reply")  # of `Consent.How`: what only our own pages and hooks can know


class ConsentText(models.Model):
    """What a person agrees to, word for word: one row a version, never edited (R29). `hash` = SHA-256 of the body."""

    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    language = models.CharField(max_length=2)
    version = models.CharField(max_length=40)
    body = models.TextField()
    hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["purpose", "language", "version"], name="patients_consenttext_once")
        ]
        indexes: ClassVar = [models.Index(fields=["hash"], name="patients_consenttext_hash")]


class Consent(Sourced):
    """One line of the append-only consent ledger: given or withdrawn, for one purpose and transport (R28, R29).

    The newest line of (patient, purpose, transport) holds; `transport` empty = every transport.
    """

    class How(models.TextChoices):
        FORM = "form", _("form on the site")
        PAPER = "paper", _("signed paper")
        CALL = "call", _("recorded call")
        DESK = "desk", _("at reception")
        IMPORTED = "imported", _("imported")
        LINK = "link", _("link in a message")
        REPLY = "reply", _("answer to a message")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    transport = models.CharField(max_length=10, choices=Transport.choices, blank=True)
    given = models.BooleanField()  # False = withdrawn
    at = models.DateTimeField()
    how = models.CharField(max_length=10, choices=How.choices)
    text_version = models.CharField(max_length=40, blank=True)
    text_hash = models.CharField(max_length=64, blank=True)
    evidence = models.CharField(max_length=300, blank=True)  # scan, recording link, address of the form
    actor = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=64, blank=True)
    scan = models.ForeignKey("ConsentScan", models.PROTECT, null=True, blank=True, related_name="consents")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta(Sourced.Meta):
        indexes: ClassVar = [
            models.Index(fields=["patient", "purpose", "transport", "-at", "-id"], name="patients_consent_latest")
        ]

    @property
    def who(self) -> str:
        """Who said it, in words: an employee and another system by name."""
        if self.actor == "patient" or self.actor.startswith("reply by "):  # as answers were noted once
            return str(_("the patient himself"))
        return str(_("system")) if self.actor == "system" else self.actor


class ConsentScan(models.Model):
    """The signed paper, photographed or scanned; encrypted, for its bytes are personal data."""

    content = models.BinaryField()
    content_type = models.CharField(max_length=40)
    hash = models.CharField(max_length=64)  # SHA-256 of what was uploaded
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")


class Touchpoint(Sourced):
    """Every contact with a patient: who spoke to whom, how, what for, what came of it (R43, R48)."""

    class Direction(models.TextChoices):
        IN = "in", _("from the patient")
        OUT = "out", _("to the patient")

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="touchpoints")
    visit = models.ForeignKey(Visit, models.SET_NULL, null=True, blank=True, related_name="touchpoints")
    at = models.DateTimeField()
    kind = models.CharField(max_length=20)  # visit, call, message, feedback, webinar, note …
    direction = models.CharField(max_length=3, choices=Direction.choices, blank=True)
    transport = models.CharField(max_length=10, choices=Transport.choices, blank=True)
    purpose = models.CharField(max_length=16, choices=Purpose.choices, blank=True)
    outcome = models.CharField(max_length=40, blank=True)
    note = models.TextField(blank=True)
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    dedupe_key = models.CharField(
        max_length=80, null=True, unique=True
    )  # "visit:12": once per fact, whoever records it

    class Meta(Sourced.Meta):
        indexes: ClassVar = [models.Index(fields=["patient", "-at", "-id"], name="patients_touch_timeline")]


class WorkItem(models.Model):
    """A thing that a person has to do: for whom, until when, what came of it. (A *task* is Celery's.)"""

    class Kind(models.TextChoices):
        CALL_BACK = "call_back", _("call back")
        NO_SHOW = "no_show", _("did not come: help him")
        NO_NEXT = "no_next", _("left without a next booking")
        UNCONFIRMED = "unconfirmed", _("visit not confirmed")
        BIRTHDAY = "birthday", _("birthday")
        DUPLICATE = "duplicate", _("possible duplicate")
        MESSAGE_UNKNOWN = "message_unknown", _("message with unknown outcome")
        REPLY = "reply", _("answer to a message")
        UNREACHABLE = "unreachable", _("messages do not arrive: call")
        RECALL = "recall", _("due to come again")
        UNHAPPY = "unhappy", _("unhappy with a visit: call today")
        CURATOR = "curator", _("talk to him after the visit")
        REFERRAL = "referral", _("referred inside the clinic")
        TOUCH = "touch", _("a planned touch")
        OTHER = "other", _("other")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        DONE = "done", _("done")
        DROPPED = "dropped", _("dropped")

    kind = models.CharField(max_length=16, choices=Kind.choices)
    patient = models.ForeignKey(Patient, models.CASCADE, null=True, blank=True, related_name="work_items")
    visit = models.ForeignKey(Visit, models.CASCADE, null=True, blank=True, related_name="work_items")
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="work_items")
    due_at = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    outcome = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    dedupe_key = models.CharField(max_length=80, null=True, unique=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["branch", "due_at", "id"], condition=models.Q(status="open"), name="patients_work_open"
            )
        ]
