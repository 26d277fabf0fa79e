"""The value of one patient, live; and what the stored ones stand on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime

from core.clock import local_date
from loyalty.metrics.facts import CTES, FACTS, fact_values
from loyalty.models import PatientValue
from patients.metrics import Scope
from patients.metrics.base import CTES as BASE
from patients.models import Patient
from staff.models import Clinic, Doctor, LossRule


def live_scope(now: datetime, records: tuple[int, ...] | None = None) -> Scope:
    """Facts up to the end of today in the clinic's zone."""
    clinic = Clinic.objects.get(pk=1)
    return Scope(
        local_date(now, clinic.tz), clinic.tz, clinic.tz, clinic.theta_days, clinic.history_from, records=records
    )


def records_of(ids: Collection[int]) -> dict[int, int]:
    """{record: canonical patient} of all records of the persons to whom the records `ids` belong."""
    roots = {canonical or pk for pk, canonical in Patient.objects.filter(pk__in=ids).values_list("id", "canonical_id")}
    merged = Patient.objects.filter(canonical_id__in=roots).values_list("id", "canonical_id")
    return {root: root for root in roots} | {pk: canonical or pk for pk, canonical in merged}


def live_value(patient_id: int, now: datetime, records: dict[int, int] | None = None) -> PatientValue | None:
    """The facts of the person to whom the record belongs, from the visits and payments as they are now; unsaved.

    None for a test person or an unknown record. `records`: as `records_of` would find them, where they are known.
    """
    records = records_of([patient_id]) if records is None else records
    if not records:
        return None
    scope = live_scope(now, tuple(records))
    sql = scope.sql(FACTS, CTES, **fact_values(scope, now))
    # params=None: the text holds its values, and its % signs are not placeholders
    return next(iter(PatientValue.objects.raw(sql, params=None)), None)


def definition(scope: Scope) -> str:
    """Digest of what `drawn` means: facts that were made otherwise cannot be turned to a new day."""
    return _digest(BASE, CTES, scope.tz)


def rules_in_force() -> str:
    """Digest of the thresholds of all doctors' patients: the clinic's and those of specialities; and of the zone."""
    theta = Clinic.objects.values_list("theta_days", "tz").get(pk=1)
    rules = sorted(LossRule.objects.values_list("speciality", "theta_days"))
    special = Doctor.objects.filter(speciality__in=[name for name, _days in rules])
    return _digest(theta, rules, sorted(special.values_list("id", "speciality")) if rules else [])


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
