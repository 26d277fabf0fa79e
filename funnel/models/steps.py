"""Actions of the first step: what involves a patient during the visit so that he comes again (R52)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Visit
from staff.models import User

# Those that come with the product: code → name.
NAMES = {
    "examined": _("examined during the visit"),
    "walked": _("walked to the ultrasound or procedure room"),
    "video": _("sent a video of the operation"),
    "reviews": _("sent reviews of patients"),
    "class": _("signed up to a master class"),
    "welcome": _("welcome bonus for the next visit"),
}


class FirstStep(models.Model):
    """A line of the catalogue. Six come with the product (their names are translated); others bear their own name."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name or str(NAMES.get(self.code, self.code))


class FirstStepMark(models.Model):
    """It was done at that visit."""

    visit = models.ForeignKey(Visit, models.CASCADE, related_name="first_steps", db_index=False)
    step = models.ForeignKey(FirstStep, models.PROTECT, related_name="marks")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["visit", "step"], name="funnel_firststepmark_once"),
        ]
