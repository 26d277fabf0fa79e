"""Which line of the consent ledger holds, and whether it could be proven before a regulator (R28, R29)."""

from __future__ import annotations

from django.db.models import Q

from patients.models import Consent, Patient

# A line is worth something for advertising when it can be shown who agreed and to which words (38-FZ art. 18 p. 1: no
# proof = no consent): a signed paper that was scanned or whose place is named, a recorded call, a form with the hash of
# its text, an answer through a signed link. A bare tick, at reception or in another system's table, is "unproven".
PROVEN = (
    "({c}.how = 'link' OR {c}.scan_id IS NOT NULL OR {c}.evidence <> '' OR ({c}.how = 'form' AND {c}.text_hash <> ''))"
)
# The newest word over all records of a person, for one transport or for every one. A withdrawal of the same moment wins.
LATEST = """(SELECT {column} FROM patients_consent c WHERE c.patient_id IN ({records}) AND c.purpose = {purpose}
    AND c.transport IN ('', {transport}) ORDER BY c.at DESC, c.given, c.id DESC LIMIT 1)"""


def latest_sql(*, column: str, records: str, purpose: str, transport: str) -> str:
    """A scalar subquery: `column` (of `c`) of the line that holds, NULL where nothing was ever said.

    All arguments are SQL: `records` a subquery of record ids, `purpose` and `transport` expressions of the outer query.
    """
    return LATEST.format(column=column, records=records, purpose=purpose, transport=transport)


def proven_sql(alias: str = "c") -> str:
    """Whether a line has a proof."""
    return PROVEN.format(c=alias)


def latest_given(*, patient: Patient, purpose: str, transport: str) -> bool | None:
    """What the person said last for that purpose on that transport ("" = on all at once); None = nothing."""
    group = Patient.objects.filter(Q(pk=patient.root_id) | Q(canonical=patient.root_id))
    lines = Consent.objects.filter(patient__in=group, purpose=purpose, transport__in={"", transport})
    return lines.order_by("-at", "given", "-id").values_list("given", flat=True).first()
