"""Online booking: what a visitor is about to book, who waits for a time, and whether the MIS knows the booking (R99)."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Patient, Service, SlotHold, Visit
from staff.models import Branch, Doctor


def _bounded(low: int, high: int) -> list[BaseValidator]:
    return [MinValueValidator(low), MaxValueValidator(high)]


class BookingRules(models.Model):
    """How this clinic is booked online: one row (id 1). Minutes, days and numbers of people."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    is_open = models.BooleanField(default=True)
    days_ahead = models.PositiveSmallIntegerField(default=30, validators=_bounded(1, 31))
    notice_minutes = models.PositiveSmallIntegerField(default=60, validators=_bounded(0, 2880))
    hold_minutes = models.PositiveSmallIntegerField(default=10, validators=_bounded(3, 30))
    stale_minutes = models.PositiveSmallIntegerField(default=30, validators=_bounded(1, 1440))
    wave_size = models.PositiveSmallIntegerField(default=3, validators=_bounded(1, 50))
    wave_minutes = models.PositiveSmallIntegerField(default=15, validators=_bounded(1, 240))
    offer_minutes = models.PositiveSmallIntegerField(default=60, validators=_bounded(5, 1440))
    mis_fetches = models.BooleanField(
        default=False
    )  # an MIS asks for our bookings by itself (else: the webhook, or none)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="funnel_bookingrules_single")]


class PhoneCode(models.Model):
    """Six digits sent to a phone to show whose it is. Only their digest is kept; good once, for ten minutes."""

    phone = models.CharField(max_length=20)  # E.164
    address = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["phone", "created_at"], name="funnel_phonecode_phone"),
            models.Index(fields=["address", "created_at"], name="funnel_phonecode_address"),
            models.Index(fields=["expires_at"], name="funnel_phonecode_expires"),
        ]


class OnlineBooking(models.Model):
    """A visitor on his way through the public page: a time that is held for him, or a wish to be told of one.

    `token` stands in his cookie and nowhere else. Until the phone is confirmed nothing of it is a fact of the clinic; what
    came to nothing is deleted a day later.
    """

    token = models.CharField(max_length=40, unique=True)
    branch = models.ForeignKey(Branch, models.CASCADE, related_name="+")
    doctor = models.ForeignKey(Doctor, models.CASCADE, null=True, blank=True, related_name="+")
    service = models.ForeignKey(Service, models.SET_NULL, null=True, blank=True, related_name="+")
    hold = models.ForeignKey(SlotHold, models.SET_NULL, null=True, blank=True, related_name="+")
    start_at = models.DateTimeField(null=True, blank=True)
    end_at = models.DateTimeField(null=True, blank=True)
    wish = models.JSONField(default=dict, blank=True)  # of the waitlist: what `WaitlistEntry` will say
    name = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=2, default="ru")
    marketing = models.BooleanField(default=False)
    agreed_at = models.DateTimeField(null=True, blank=True)
    address = models.CharField(max_length=64, blank=True)
    code = models.ForeignKey(PhoneCode, models.SET_NULL, null=True, blank=True, related_name="+")
    visit = models.OneToOneField(Visit, models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="funnel_onlinebooking_created"),
        ]


class WaitlistEntry(models.Model):
    """Who wants to be told when a time frees up: with whom, on which days, at which time of day.

    `days`: ISO weekdays, "" = any. `from_time` and `to_time` are the branch's local time; empty = any.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        BOOKED = "booked", _("booked")
        LEFT = "left", _("left the list")
        OVER = "over", _("its days are over")

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="waitlist")
    branch = models.ForeignKey(Branch, models.CASCADE, related_name="+")
    doctor = models.ForeignKey(Doctor, models.CASCADE, null=True, blank=True, related_name="+")
    speciality = models.CharField(max_length=120, blank=True)
    minutes = models.PositiveSmallIntegerField(default=30)
    first_day = models.DateField()
    last_day = models.DateField()
    days = models.CharField(max_length=7, blank=True)
    from_time = models.TimeField(null=True, blank=True)
    to_time = models.TimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    visit = models.ForeignKey(Visit, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["created_at", "id"], condition=models.Q(state="waiting"), name="funnel_waitlist_waiting"
            )
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day")), name="funnel_waitlist_days"
            ),
            models.CheckConstraint(
                condition=models.Q(doctor__isnull=False) | ~models.Q(speciality=""), name="funnel_waitlist_for_what"
            ),
        ]


class SlotOffer(models.Model):
    """A freed time offered to one who waits. Several get the same in one wave; the first who takes it has it."""

    class State(models.TextChoices):
        OPEN = "open", _("offered")
        TAKEN = "taken", _("taken by him")
        LOST = "lost", _("taken by another")
        EXPIRED = "expired", _("not answered")

    entry = models.ForeignKey(WaitlistEntry, models.CASCADE, related_name="offers")
    doctor = models.ForeignKey(Doctor, models.CASCADE, related_name="+")
    branch = models.ForeignKey(Branch, models.CASCADE, related_name="+")
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    offered_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["doctor", "start_at"], name="funnel_offer_slot"),
            models.Index(fields=["expires_at"], condition=models.Q(state="open"), name="funnel_offer_open"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "doctor", "start_at"], name="funnel_offer_once"),
        ]


class MisBooking(models.Model):
    """What the MIS knows of a visit that was booked here. `sent_*`: the visit as it was last handed over; where the visit
    says something else now, it is due again."""

    class State(models.TextChoices):
        WAITING = "waiting", _("not sent yet")
        SENT = "sent", _("sent")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")

    visit = models.OneToOneField(Visit, models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    version = models.PositiveIntegerField(default=1)  # grows with every change of the visit that the MIS must know
    reason = models.CharField(max_length=300, blank=True)
    mis_id = models.CharField(max_length=120, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    sent_start_at = models.DateTimeField(null=True, blank=True)
    sent_doctor = models.ForeignKey(Doctor, models.SET_NULL, null=True, blank=True, related_name="+")
    sent_status = models.CharField(max_length=18, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["changed_at", "id"], name="funnel_misbooking_changed"),
            models.Index(
                fields=["next_try_at"], condition=models.Q(next_try_at__isnull=False), name="funnel_misbooking_due"
            ),
        ]

    @property
    def is_open(self) -> bool:
        """The MIS has not decided yet."""
        return self.state in (self.State.WAITING, self.State.SENT)

    @property
    def is_stuck(self) -> bool:
        """A person has to look: it was refused, or it did not get through and is tried no more."""
        given_up = self.state == self.State.WAITING and self.next_try_at is None
        return self.state == self.State.REFUSED or given_up
