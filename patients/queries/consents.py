"""Which line of the consent ledger holds, and whether it could be proven before a regulator (R28, R29)."""

# ruff: noqa: S608 - the statements are put together from constants of this file
from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from patients.models import Consent, Patient
from patients.rules.consents import SKEW
from staff.models.base import OWN_SOURCE

# A line is worth something for advertising when it can be shown who agreed and to which words (38-FZ art. 18 p. 1: no
# proof = no consent): a signed paper that was scanned or whose place is named, a recorded call, a form with the address
# from which it was sent, the patient's own click on a link of ours. That click no other system can tell us of: a line that
# came from one proves nothing by the word "link". A bare tick, here or in another system's table, is "unproven".
PROVEN = f"({{c}}.how = 'link' AND {{c}}.source_id = {OWN_SOURCE} OR {{c}}.scan_id IS NOT NULL OR {{c}}.evidence <> '')"
# A yes counts from its own moment on; a no at once, though the clock of the system that sent it may be a little fast.
BEGUN = "{c}.at <= CASE WHEN {c}.given THEN {now} ELSE {soon} END"
# The newest word over all records of a person, for one transport or for every one. A withdrawal of the same moment wins.
LATEST = f"""(SELECT {{column}} FROM patients_consent c WHERE c.patient_id IN ({{records}}) AND c.purpose = {{purpose}}
    AND c.transport IN ('', {{transport}}) AND {BEGUN.format(c="c", now="{now}", soon="{soon}")}
    ORDER BY c.at DESC, c.given, c.id DESC LIMIT 1)"""


def latest_sql(*, column: str, records: str, purpose: str, transport: str, now: str, soon: str) -> str:
    """A scalar subquery: `column` (of `c`) of the line that holds, NULL where nothing was ever said.

    All arguments are SQL: `records` a subquery of record ids, `purpose` and `transport` expressions of the outer query,
    `now` the moment of asking, `soon` = now + SKEW.
    """
    return LATEST.format(column=column, records=records, purpose=purpose, transport=transport, now=now, soon=soon)


def begun_sql(alias: str, *, now: str, soon: str) -> str:
    """Whether a line counts already."""
    return BEGUN.format(c=alias, now=now, soon=soon)


def begun(now: datetime) -> QuerySet[Consent]:
    """The lines that count already."""
    return Consent.objects.filter(Q(at__lte=now) | Q(given=False, at__lte=now + SKEW))


def proven_sql(alias: str = "c") -> str:
    """Whether a line has a proof."""
    return PROVEN.format(c=alias)


def latest_given(*, patient: Patient, purpose: str, transport: str, now: datetime) -> bool | None:
    """What the person said last for that purpose on that transport ("" = on all at once); None = nothing."""
    group = Patient.objects.filter(Q(pk=patient.root_id) | Q(canonical=patient.root_id))
    lines = begun(now).filter(patient__in=group, purpose=purpose, transport__in={"", transport})
    return lines.order_by("-at", "given", "-id").values_list("given", flat=True).first()
