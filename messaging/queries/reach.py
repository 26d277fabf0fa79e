"""How a patient can be reached: by which transport, at which address, in which language and zone. All of it in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

FIELDS = {"sms": "phone", "email": "email"}
# All records of the canonical patient {root}: both sides of the OR are indexes of one table.
GROUP = "SELECT g.id FROM patients_patient g WHERE g.id = {root} OR g.canonical_id = {root}"
# The survivor's own address comes before those of records that were merged into him.
PHONE = """(SELECT f.number FROM patients_patientphone f JOIN patients_patient o ON o.id = f.patient_id
    WHERE f.patient_id IN ({group}) ORDER BY o.canonical_id IS NOT NULL, f.position, f.id LIMIT 1)"""
EMAIL = """(SELECT e.email FROM patients_patient e WHERE e.id IN ({group}) AND e.email <> ''
    ORDER BY e.canonical_id IS NOT NULL, e.id LIMIT 1)"""
REACHABLE = """
who AS (
    SELECT due.*, root.id AS root_id,
        CASE WHEN adult.id IS NULL OR COALESCE(root.birth_date, p.birth_date) <= %s THEN root.id
            ELSE COALESCE(adult.canonical_id, adult.id) END AS contact_id,
        COALESCE(NULLIF(root.tz, ''), NULLIF(p.tz, ''), due.branch_tz) AS tz,
        COALESCE(NULLIF(root.language, ''), NULLIF(p.language, ''), %s) AS language,
        COALESCE(NULLIF(root.preferred_transport, ''), p.preferred_transport) AS preferred
    FROM due JOIN patients_patient p ON p.id = due.patient_id
    JOIN patients_patient root ON root.id = COALESCE(p.canonical_id, p.id)
    LEFT JOIN patients_patient adult ON adult.id = COALESCE(root.responsible_adult_id, p.responsible_adult_id)
),
reached AS (SELECT who.*, COALESCE({phone}) AS phone, COALESCE({email}) AS email FROM who)"""


def reachable_sql() -> str:
    """CTE `reached` after a CTE `due(patient_id, branch_tz, …)`: adds `phone`, `email`, `tz`, `language`, `preferred`.

    A child is reached through the responsible adult, himself only when the adult cannot be. Parameters: the birth date
    from which on (and before) people are grown up, and the language of those who named none.
    """
    hops = ("who.contact_id", "who.root_id")
    found = {
        name: ", ".join(sql.format(root=hop, group=GROUP.format(root=hop)) for hop in hops)
        for name, sql in (("phone", PHONE), ("email", EMAIL))
    }
    return REACHABLE.format(**found)


def choice_sql(configured: Sequence[str], *, of_address: bool) -> str:
    """The preferred transport if it can be used, else the first that can; of those with a provider, else of all.

    `of_address`: the address instead of the transport's name; '' where there is none at all.
    """
    order: list[str] = [name for name in FIELDS if name in configured] or list(FIELDS)
    rest = [name for name in FIELDS if name not in order]

    def when(name: str, more: str = "") -> str:
        answer = FIELDS[name] if of_address else f"'{name}'"
        return f"WHEN {FIELDS[name]} IS NOT NULL{more} THEN {answer}"

    cases: list[Any] = [when(name, f" AND preferred = '{name}'") for name in order]
    cases += [when(name) for name in [*order, *rest]]
    fallback = "''" if of_address else f"'{order[0]}'"
    return f"CASE {' '.join(cases)} ELSE {fallback} END"
