"""The motivational consultation by the clinic's algorithm: a versioned checklist, filled in once a visit (R51)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Visit
from staff.models import User

# What comes with the product: code → words. A clinic's own item is its own words.
ITEMS = {
    "heard": _("the complaint was heard out"),
    "explained": _("what was found was explained in plain words"),
    "consequences": _("what follows without treatment was said"),
    "plan": _("a plan with steps and terms was offered"),
    "price": _("the price was named by the doctor or the curator"),
    "doubts": _("doubts were asked about and answered"),
    "next": _("the next visit was proposed with a day"),
}


class Checklist(models.Model):
    """A version of the algorithm: never changed, only followed by the next one. The newest is in force."""

    items = models.JSONField()  # codes of ITEMS or words, in order
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    def labels(self) -> list[str]:
        return [str(ITEMS.get(item, item)) for item in self.items]


class Consultation(models.Model):
    """What was done at the visit, and how it ended in the words of who filled it in. The fact is asked of payments."""

    class Outcome(models.TextChoices):
        CORE = "core", _("took the core service")
        TRIPWIRE = "tripwire", _("took the entry service")
        THINKS = "thinks", _("will think")
        DECLINED = "declined", _("declined")

    UNDECIDED: ClassVar = ("thinks", "declined")

    visit = models.OneToOneField(Visit, models.CASCADE, related_name="consultation")
    checklist = models.ForeignKey(Checklist, models.PROTECT, related_name="+")
    ticked = models.JSONField(default=list)  # positions of the version's items
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reason = models.CharField(max_length=300, blank=True)  # why he thinks or declines; behind see_medical
    filled_at = models.DateTimeField()
    filled_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(outcome__in=("core", "tripwire"), reason="")
                | (models.Q(outcome__in=("thinks", "declined")) & ~models.Q(reason="")),
                name="funnel_consultation_reason",
            ),
        ]
