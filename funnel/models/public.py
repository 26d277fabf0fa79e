"""The doors by which strangers ask: forms that stand on sites, signed posts of sites, and what was agreed to there."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from funnel.models.lead import Lead
from patients.models import Channel, ConsentText
from patients.models.contact import Purpose
from staff.models import Branch, Source, User


class LeadForm(models.Model):
    """A form for enquiries: a page of its own and a frame for the clinic's site.

    `sites`: origins (`https://clinic.example`) whose pages may frame it. `texts`: the words that are agreed to, one a
    purpose and language, never edited (R29). `channel`: for an enquiry that bears no sign of where it came from.
    """

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    title = models.CharField(max_length=120, blank=True)
    thanks = models.CharField(max_length=300, blank=True)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    channel = models.ForeignKey(Channel, models.SET_NULL, null=True, blank=True, related_name="+")
    sites = models.JSONField(default=list, blank=True)
    asks_email = models.BooleanField(default=False)
    asks_text = models.BooleanField(default=True)
    texts = models.ManyToManyField(ConsentText, related_name="+")
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class LeadHook(models.Model):
    """A site or another system that posts enquiries signed. The secret is shown once and kept sealed."""

    source = models.OneToOneField(Source, models.PROTECT, related_name="+")
    secret = models.BinaryField()
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    channel = models.ForeignKey(Channel, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)


class LeadPost(models.Model):
    """How an enquiry came through a public door; one a lead. `network`: the sender's address class, for the limits."""

    class Suspicion(models.TextChoices):
        TRAP = "trap", _("a field that people do not see was filled in")
        FAST = "fast", _("filled in faster than a person can")
        NETWORK = "network", _("many enquiries from one address")
        PHONE = "phone", _("many enquiries with one phone")
        LINKS = "links", _("many links in the text")

    lead = models.OneToOneField(Lead, models.CASCADE, related_name="post")
    form = models.ForeignKey(LeadForm, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField()
    network = models.CharField(max_length=64, blank=True)
    suspicion = models.CharField(max_length=8, choices=Suspicion.choices, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["network", "at"], name="funnel_leadpost_network")]


class LeadConsent(models.Model):
    """What was agreed to with an enquiry, kept until it is known whose it is; then a line of the patients' ledger.

    `text_hash` names the words that were shown (`ConsentText`), `ledger_at` when the line was written there.
    """

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    text_hash = models.CharField(max_length=64)
    text_version = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=2, blank=True)
    at = models.DateTimeField()
    address = models.CharField(max_length=64, blank=True)
    ledger_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["lead", "purpose"], name="funnel_leadconsent_once"),
            models.CheckConstraint(condition=~models.Q(text_hash=""), name="funnel_leadconsent_words"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["lead"], condition=models.Q(ledger_at=None), name="funnel_leadconsent_waiting")
        ]
