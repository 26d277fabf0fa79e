from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.models.policy import Approval
from messaging.models.words import in_words
from patients.models import Consent, Patient, Visit
from patients.models.contact import ADVERTISES, Purpose
from patients.models.person import Transport
from staff.models import Source, User


class State(models.TextChoices):
    """queued → claimed → inflight → sent → delivered | undelivered; or an end with a reason; or unknown."""

    QUEUED = "queued", _("waiting")
    CLAIMED = "claimed", _("taken by a worker")
    INFLIGHT = "inflight", _("being handed over")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    UNDELIVERED = "undelivered", _("not delivered")
    SKIPPED = "skipped", _("not needed")
    REFUSED = "refused", _("refused")
    EXPIRED = "expired", _("too late")
    UNKNOWN = "unknown", _("outcome unknown")


class Reason(models.TextChoices):
    """Why a message was not sent, or why its outcome is not known."""

    WINDOW = "window", _("its time has passed")
    VISIT_GONE = "visit_gone", _("the visit is no longer there")
    VISIT_CANCELLED = "visit_cancelled", _("the visit was cancelled")
    VISIT_MOVED = "visit_moved", _("the visit was moved")
    VISIT_PAST = "visit_past", _("the visit has begun or is over")
    DECEASED = "deceased", _("the patient died")
    TEST = "test", _("a test person")
    WITHDRAWN = "withdrawn", _("the patient wants no messages")
    NO_CONSENT = "no_consent", _("no consent")
    NO_ADDRESS = "no_address", _("no phone or e-mail")
    NO_VALUE = "no_value", _("a value for the text is missing")
    SWITCHED_OFF = "switched_off", _("this automation is switched off")
    TOO_CLOSE = "too_close", _("another message about this visit went out less than 3 hours before")
    QUIET = "quiet", _("held for quiet hours")
    BLOCKED = "blocked", _("blocked by the operator at the subscriber's request")
    GATEWAY = "gateway", _("refused by the provider")
    NOT_CONFIGURED = "not_configured", _("no provider is set up for this transport")
    BUSY = "busy", _("the provider was busy or away")
    GAVE_UP = "gave_up", _("the provider was away too long")
    BAD_MESSAGE = "bad_message", _("the message could not be put together")
    NO_ANSWER = "no_answer", _("the provider's answer did not arrive")
    LEASE = "lease", _("the worker died while handing it over")
    SAME_TEXT = "same_text", _("the provider saw the same text within a minute")
    KEY_EXPIRED = "key_expired", _("too old to be sent again safely")
    BY_PERSON = "by_person", _("decided by a person")
    UNSUBSCRIBED = "unsubscribed", _("unsubscribed from advertising")
    BOUNCED = "bounced", _("the address does not exist")
    WRONG_NUMBER = "wrong_number", _("the number belongs to somebody else")
    PROMOTION_HOLD = "promotion_hold", _("advertising is frozen for this patient")
    UNPROVEN = "unproven", _("the consent has no proof")
    NOT_APPROVED = "not_approved", _("nobody has approved this advertisement")
    CAP = "cap", _("enough contacts in this period")
    TRANSPORT_OFF = "transport_off", _("this transport is not allowed for this purpose")
    BREAKER = "breaker", _("the transport makes too many errors")
    GROUPED = "grouped", _("said in one message with another")
    GOAL = "goal", _("no longer needed: the patient has booked")
    ARRIVED = "arrived", _("the earlier message has arrived after all")


class Basis(models.TextChoices):
    """The lawful basis that a message stood on when it went out (38-FZ art. 18, 152-FZ)."""

    SERVICE = "service", _("service message: needs no consent")
    CONSENT = "consent", _("consent of the patient")
    STAFF = "staff", _("message to an employee")


class Priority(models.IntegerChoices):
    """Who goes first when the budget or the hour is short (beyond.md 9). Less = sooner."""

    MEDICAL = 10, _("medical")
    REMINDER = 20, _("reminder")
    FEEDBACK = 30, _("feedback")
    PROMOTION = 40, _("promotion")


HANDED_OVER = (State.INFLIGHT, State.SENT, State.DELIVERED, State.UNDELIVERED, State.UNKNOWN)


PHONE_CODE = "phone_code"  # the one kind of message to nobody we know: it asks whose phone this is


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, now: datetime) -> MessageQuerySet:
        """Waiting rows whose time has come."""
        return self.filter(state=State.QUEUED, not_before__lte=now)


LINKS = {
    "user": "user",
    "resolved_by": "resolver",
    "consent": "consent",
    "approval": "approval",
    "grouped_into": "carrier",
    "fallback_of": "before",
}


class Message(models.Model):
    """The outbox: a row *is* the work to do. Written with the fact that caused it, or planned from facts by the tick.

    `dedupe_key` says once per what. `about_at` is the start of the visit that the text speaks of: when the visit moves,
    the row no longer agrees with it and is skipped. `text` is put together at the first claim from the frozen
    `variables` and never changes again, so that a repeated call says the same under the same `client_id`, which is
    the provider's idempotency key. What the contact policy answered stands in the row: `basis` with the `consent` and the
    `approval` that it stood on, `cap_used` (which contact of the period it was), `decided_at`; why not stands in `reason`,
    until when it is held in `not_before`. Leases (`owner`, `lease_until`) go by the database's clock. `unsure_at` is the first
    moment at which a call had no known outcome: from then on a repeat is only safe within the key's lifetime.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, null=True, blank=True, related_name="messages", db_index=False)
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    visit = models.ForeignKey(Visit, models.SET_NULL, null=True, blank=True, related_name="messages", db_index=False)
    about_at = models.DateTimeField(null=True)
    automation = models.CharField(max_length=40, blank=True)
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    transport = models.CharField(max_length=10, choices=Transport.choices)
    address = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=2, default="ru")
    tz = models.CharField(max_length=64)  # the addressee's: quiet hours go by it
    template = models.CharField(max_length=40, blank=True)
    variables = models.JSONField(default=dict)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    dedupe_key = models.CharField(max_length=120)
    client_id = models.CharField(max_length=40, null=True)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=11, choices=State.choices, default=State.QUEUED)
    reason = models.CharField(max_length=16, choices=Reason.choices, blank=True)
    detail = models.CharField(max_length=200, blank=True)  # the provider's words, scrubbed
    owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True)
    unsure_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True)  # of an unknown one: when to ask the provider
    checks = models.PositiveSmallIntegerField(default=0)
    provider_id = models.CharField(max_length=120, blank=True)
    sent_at = models.DateTimeField(null=True)
    status_at = models.DateTimeField(null=True)  # the provider's clock: when the reported status became true
    resolved_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.REMINDER)
    basis = models.CharField(max_length=8, choices=Basis.choices, blank=True)
    consent = models.ForeignKey(Consent, models.PROTECT, null=True, blank=True, related_name="messages", db_index=False)
    approval = models.ForeignKey(
        Approval, models.PROTECT, null=True, blank=True, related_name="messages", db_index=False
    )
    # Which contact of the patient's period it was, this one included, and how many his budget had; None = no limit.
    cap_used = models.PositiveSmallIntegerField(null=True)
    cap = models.PositiveSmallIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)
    stops_when_booked = models.BooleanField(default=False, db_default=False)  # its goal: a visit after it was planned
    grouped_into = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="grouped", db_index=False
    )
    fallback_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="fallbacks", db_index=False
    )
    segments = models.PositiveSmallIntegerField(default=0)  # parts of an SMS; 0 for what has none
    cost = models.BigIntegerField(default=0)  # minor units: by our price list, then as the provider reported
    source = models.ForeignKey(
        Source, models.PROTECT, null=True, related_name="+", db_index=False
    )  # which system asked
    external_id = models.CharField(max_length=120, null=True)

    objects = MessageQuerySet.as_manager()

    @property
    def reason_said(self) -> str:
        return in_words(Reason(self.reason), self.transport) if self.reason else ""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dedupe_key"], name="messaging_message_dedupe"),
            models.UniqueConstraint(
                fields=["client_id"], condition=models.Q(client_id__isnull=False), name="messaging_message_client"
            ),
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=models.Q(source__isnull=False),
                name="messaging_message_external",
            ),
            models.CheckConstraint(
                condition=models.Q(patient__isnull=False, user=None)
                | models.Q(patient=None, user__isnull=False)
                | models.Q(patient=None, user=None, automation=PHONE_CODE),
                name="messaging_message_one_addressee",
            ),
            # No advertisement was ever handed over without a consent and a named person's approval (38-FZ art. 18).
            models.CheckConstraint(
                condition=~models.Q(purpose__in=ADVERTISES, state__in=HANDED_OVER)
                | models.Q(consent__isnull=False, approval__isnull=False),
                name="messaging_message_ad_is_lawful",
            ),
            # Workers look through the queue priority by priority: one of no known kind would wait for ever.
            models.CheckConstraint(
                condition=models.Q(priority__in=[10, 20, 30, 40]), name="messaging_message_priority_known"
            ),
        ]
        # Sending changes `state` three times, and each time enters the row anew into every index that holds it. So none is
        # wider than what is looked for: an empty foreign key stands in no index, a row on its way in few.
        indexes: ClassVar = [
            *(
                models.Index(fields=[name], condition=~models.Q(**{name: None}), name=f"messaging_message_{short}")
                for name, short in LINKS.items()
            ),
            models.Index(
                fields=["transport", "priority", "not_before", "id"],
                condition=models.Q(state="queued"),
                name="messaging_message_due",
            ),
            models.Index(fields=["expires_at"], condition=models.Q(state="queued"), name="messaging_message_expiring"),
            models.Index(
                fields=["lease_until"],
                condition=models.Q(state__in=("claimed", "inflight")),
                name="messaging_message_leased",
            ),
            models.Index(
                fields=["transport", "next_check_at"],
                condition=models.Q(state="unknown"),
                name="messaging_message_unknown",
            ),
            # What did not arrive and may go out by another transport.
            models.Index(
                fields=["expires_at"],
                condition=models.Q(state__in=("undelivered", "refused", "skipped")),
                name="messaging_message_failed",
            ),
            models.Index(
                fields=["state", "-id"],
                condition=~models.Q(state__in=("sent", "delivered")),
                name="messaging_message_state",
            ),
            models.Index(fields=["patient", "-id"], name="messaging_message_patient"),
            models.Index(
                fields=["visit", "about_at"], condition=models.Q(visit__isnull=False), name="messaging_message_visit"
            ),
            models.Index(fields=["created_at", "automation", "state"], name="messaging_message_created"),
            # The newest message to an address: what a reply from there answers.
            models.Index(
                fields=["address", "-sent_at"],
                condition=models.Q(state__in=("sent", "delivered", "undelivered", "unknown")),
                name="messaging_message_address",
            ),
            models.Index(
                fields=["provider_id"], condition=~models.Q(provider_id=""), name="messaging_message_provider"
            ),
        ]


class DeliveryEvent(models.Model):
    """One report of a provider. `event_id` makes a doubled one harmless; an unknown message leaves `message` empty."""

    transport = models.CharField(max_length=10)
    event_id = models.CharField(max_length=120)
    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="events")
    status = models.CharField(max_length=12)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    @property
    def said(self) -> str:
        """In the words of our own states: what a provider calls expired did not arrive."""
        return str(State.UNDELIVERED.label if self.status == "expired" else State(self.status).label)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transport", "event_id"], name="messaging_event_once"),
        ]


class MailboxItem(models.Model):
    """The demo's local mailbox: what the demo transport "delivered". Written by that transport and nothing else."""

    client_id = models.CharField(max_length=40, unique=True)
    transport = models.CharField(max_length=10)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    at = models.DateTimeField()

    @property
    def transport_label(self) -> str:
        return str(Transport(self.transport).label)
