"""A lead: somebody who asked, and what became of it (R89 to R95)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Channel, Patient, Visit
from staff.models import Branch, Doctor, User
from staff.models.base import Sourced


class Stage(models.TextChoices):
    """The steps of the funnel that a lead goes, in this order."""

    LEAD = "lead", _("new")
    CONTACTED = "contacted", _("contacted")
    BOOKED = "booked", _("booked")
    CAME = "came", _("came")
    PAID = "paid", _("paid")
    REPEAT = "repeat", _("came again")
    RECOMMENDED = "recommended", _("recommended us")


class LossReason(models.TextChoices):
    """Why a lead was lost (R92). Another system may send other codes: they are kept and counted as they are."""

    UNREACHABLE = "unreachable", _("could not get through")
    NO_SLOT = "no_slot", _("the time did not suit")
    PRICE = "price", _("too expensive")
    FAR = "far", _("too far")
    CHOSE_OTHER = "chose_other", _("chose another clinic")
    CHANGED_MIND = "changed_mind", _("changed their mind")
    NO_SERVICE = "no_service", _("we do not offer it")
    OTHER = "other", _("other")


class Lead(Sourced):
    """One enquiry. `patient` is set as soon as it is known who it is; until then name, phone and e-mail stand here.

    A further enquiry of the same person, while the first is open, is a row of its own that points at the first
    (`duplicate_of`): nothing is lost, and it counts in no figure (M19). `channel` is the first touch and is never
    attributed again; `last_channel` is that of the latest enquiry of the same person. `stage` is derived from the facts by
    `funnel.actions.stages` and by nobody else.
    """

    class Kind(models.TextChoices):
        CALL = "call", _("call")
        FORM = "form", _("form on the site")
        MESSENGER = "messenger", _("messenger")
        EMAIL = "email", _("e-mail")
        WALK_IN = "walk_in", _("walk-in")
        BOOKING = "booking", _("online booking")
        EVENT = "event", _("event")

    created_at = models.DateTimeField()  # of the event itself: the first-answer timer runs from it
    kind = models.CharField(max_length=20)  # Kind, or the word of another system
    channel = models.ForeignKey(Channel, models.PROTECT, null=True, blank=True, related_name="leads")
    last_channel = models.ForeignKey(Channel, models.PROTECT, null=True, blank=True, related_name="+")
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, blank=True, related_name="leads")
    name = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=20, blank=True)  # E.164
    phone_raw = models.CharField(max_length=60, blank=True)
    email = models.CharField(max_length=254, blank=True)
    text = models.TextField(blank=True)  # what was asked; may be medical: behind see_medical
    language = models.CharField(max_length=2, blank=True)
    page = models.CharField(max_length=500, blank=True)  # where the form stood, without its query
    utm = models.JSONField(default=dict, blank=True)  # {source, medium, campaign, term, content}
    promo_code = models.CharField(max_length=60, blank=True)
    called_number = models.CharField(max_length=20, blank=True)  # the tracking number that was dialled
    consent_text_hash = models.CharField(max_length=64, blank=True)  # what was agreed to, word for word (R29)
    consent_at = models.DateTimeField(null=True, blank=True)
    consent_address = models.CharField(max_length=64, blank=True)
    is_spam = models.BooleanField(default=False)
    duplicate_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="duplicates")
    first_response_at = models.DateTimeField(null=True, blank=True)
    first_response_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="leads")
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.LEAD)
    stage_at = models.DateTimeField(null=True, blank=True)  # since when it stands there: the time limit runs from it
    lost_at = models.DateTimeField(null=True, blank=True)
    loss_stage = models.CharField(max_length=20, blank=True)
    loss_reason = models.CharField(max_length=40, blank=True)
    loss_note = models.CharField(max_length=300, blank=True)
    closed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    escalated_at = models.DateTimeField(null=True, blank=True)  # the managers were told that nobody answers
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta(Sourced.Meta):
        indexes: ClassVar = [
            models.Index(fields=["created_at", "id"], name="funnel_lead_created"),
            models.Index(
                fields=["created_at", "id"],
                condition=models.Q(first_response_at=None, lost_at=None, is_spam=False),
                name="funnel_lead_waiting",
            ),
            models.Index(
                fields=["stage", "stage_at", "id"],
                condition=models.Q(lost_at=None, duplicate_of=None, is_spam=False),
                name="funnel_lead_board",
            ),
            models.Index(fields=["lost_at"], condition=models.Q(lost_at__isnull=False), name="funnel_lead_lost"),
            models.Index(fields=["phone"], condition=~models.Q(phone=""), name="funnel_lead_phone"),
            models.Index(fields=["email"], condition=~models.Q(email=""), name="funnel_lead_email"),
        ]
        constraints: ClassVar = [
            *Sourced.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(first_response_at=None) | models.Q(first_response_at__gte=models.F("created_at")),
                name="funnel_lead_answer_after_question",
            ),
            models.CheckConstraint(  # R92: a person cannot close a lead without a reason
                condition=models.Q(closed_by=None) | ~models.Q(loss_reason=""), name="funnel_lead_reason"
            ),
            models.CheckConstraint(
                condition=~models.Q(duplicate_of=models.F("id")), name="funnel_lead_not_its_own_duplicate"
            ),
        ]


class LeadStage(models.Model):
    """That a lead reached a stage: when it did, who brought it there and through which door. Once for each stage."""

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="stages")
    stage = models.CharField(max_length=12, choices=Stage.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    door = models.CharField(max_length=20, blank=True)  # code of the source, or "desk", "form", "call", "booking"

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["lead", "stage"], name="funnel_leadstage_once")]


class LeadBooking(models.Model):
    """A visit that was booked because of a lead. `Visit` knows no lead: it stands in a lower room."""

    visit = models.OneToOneField(Visit, models.CASCADE, related_name="+")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="bookings")


class Alternative(models.Model):
    """Another day, doctor or service that was offered instead of a loss, and whether that saved the lead (R93)."""

    class Kind(models.TextChoices):
        DAY = "day", _("another day")
        DOCTOR = "doctor", _("another doctor")
        SERVICE = "service", _("another service")
        BRANCH = "branch", _("another branch")
        PRICE = "price", _("payment by parts or a discount")

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="alternatives")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    doctor = models.ForeignKey(Doctor, models.SET_NULL, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    offered_at = models.DateTimeField()
    offered_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    accepted_at = models.DateTimeField(null=True, blank=True)  # a save: booked after this was offered
    declined_at = models.DateTimeField(null=True, blank=True)


class StageRule(models.Model):
    """Who is responsible at a stage, and how long a lead may stand there (R105). One row a stage."""

    stage = models.CharField(max_length=12, choices=Stage.choices, unique=True)
    role = models.CharField(max_length=16, blank=True)
    limit_minutes = models.PositiveIntegerField(null=True, blank=True)
    duty = models.TextField(blank=True)  # what is to be done there, in words
