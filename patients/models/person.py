from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from staff.models import Branch, User
from staff.models.base import Sourced


class Transport(models.TextChoices):
    """How a message goes out. (A *channel* is where the patient came from.)"""

    SMS = "sms", _("SMS")
    EMAIL = "email", _("e-mail")
    TELEGRAM = "telegram", _("Telegram")
    CALL = "call", _("call")


class Channel(Sourced):
    """Where patients come from: advertising (paid), organic, referral (R35)."""

    class Kind(models.TextChoices):
        PAID = "paid", _("advertising")
        ORGANIC = "organic", _("organic")
        REFERRAL = "referral", _("referral")

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")

    def __str__(self) -> str:
        return self.name


class Household(Sourced):
    """People who share money or a roof: family service and family phones (R32).

    Another system knows it by (source, external_id); it is made when a patient of that source first names it.
    """

    name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)


class PatientQuerySet(models.QuerySet["Patient"]):
    def roots(self) -> PatientQuerySet:
        """Canonical patients: records that were not merged away."""
        return self.filter(merged_into=None)

    def group_of(self, root_ids: models.QuerySet | list[int]) -> PatientQuerySet:
        """All records of the canonical patients `root_ids`, merged ones included."""
        ids = list(root_ids) if not isinstance(root_ids, models.QuerySet) else root_ids
        # By two indexes: a COALESCE of both columns has none, and would read everybody.
        return self.filter(models.Q(pk__in=ids, canonical=None) | models.Q(canonical__in=ids))


class Patient(Sourced):
    """One record of a person, as one source knows him. Records of one person are merged by pointers (`merged_into`).

    Facts stay on the record they came with; figures go by the canonical patient: the end of the `merged_into` chain.
    `canonical` caches that end (null for a root itself), so SQL says COALESCE(canonical_id, id). It is written only by
    `patients.actions.merge`. That is why a merge can be undone without loss (R125, invariant 7).
    """

    class Sex(models.TextChoices):
        FEMALE = "f", _("female")
        MALE = "m", _("male")

    class ChurnReason(models.TextChoices):
        MOVED = "moved", _("moved away")
        DIED = "died", _("died")
        INCOME = "income", _("income changed")
        RECOVERED = "recovered", _("recovered")

    created_at = models.DateTimeField()  # first known contact, not the insertion of the row
    last_name = models.CharField(max_length=120, blank=True)
    first_name = models.CharField(max_length=120, blank=True)
    middle_name = models.CharField(max_length=120, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    sex = models.CharField(max_length=1, choices=Sex.choices, blank=True)
    email = models.CharField(max_length=254, blank=True)
    email_raw = models.CharField(max_length=254, blank=True)
    preferred_transport = models.CharField(max_length=10, choices=Transport.choices, blank=True)
    language = models.CharField(max_length=2, blank=True)
    tz = models.CharField(max_length=64, blank=True)  # of the patient where it differs from the branch's
    card_number = models.CharField(max_length=40, blank=True)
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")
    channel = models.ForeignKey(Channel, models.PROTECT, null=True, blank=True, related_name="patients")
    referrer = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="referred")
    household = models.ForeignKey(Household, models.SET_NULL, null=True, blank=True, related_name="members")
    responsible_adult = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="wards")
    curator = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged_records")
    canonical = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="records")
    natural_churn_reason = models.CharField(max_length=10, choices=ChurnReason.choices, blank=True)
    natural_churn_date = models.DateField(null=True, blank=True)
    is_test = models.BooleanField(default=False)
    note = models.TextField(blank=True)
    search = models.TextField(blank=True)  # folded names, digits of phones, card number: what Find looks through

    objects = PatientQuerySet.as_manager()

    class Meta(Sourced.Meta):
        indexes: ClassVar = [
            models.Index(fields=["last_name", "first_name", "id"], name="patients_patient_name"),
            models.Index(fields=["birth_date"], name="patients_patient_birth"),
            models.Index(fields=["card_number"], name="patients_patient_card", opclasses=["varchar_pattern_ops"]),
            # Every figure begins by leaving test persons out: a handful, found without reading everybody.
            models.Index(fields=["id"], condition=models.Q(is_test=True), name="patients_patient_test"),
        ]
        constraints: ClassVar = [
            *Sourced.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(merged_into=None, canonical=None)
                | models.Q(merged_into__isnull=False, canonical__isnull=False),
                name="patients_patient_canonical_with_merge",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.last_name, self.first_name, self.middle_name) if part) or self.code

    @property
    def short_name(self) -> str:
        """'Иванова А. П.' for lists."""
        initials = " ".join(f"{part[0]}." for part in (self.first_name, self.middle_name) if part)
        return f"{self.last_name} {initials}".strip() or self.code

    @property
    def root_id(self) -> int:
        return self.canonical_id or self.pk


class PatientPhone(models.Model):
    """A phone of a record: E.164 for comparing, raw as it came. Shared by families: not unique across patients."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="phones")
    number = models.CharField(max_length=20)
    raw = models.CharField(max_length=60, blank=True)
    reverse_digits = models.CharField(max_length=20, blank=True)  # "last four digits" is a prefix search on it
    position = models.PositiveSmallIntegerField(default=0)  # 0 = the one to use first

    class Meta:
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["patient", "number"], name="patients_phone_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["number"], name="patients_phone_number"),
            models.Index(fields=["reverse_digits"], name="patients_phone_reverse"),
        ]


class PatientTag(models.Model):
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=60, db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["patient", "name"], name="patients_tag_once")]
