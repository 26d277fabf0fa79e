"""How a patient can be reached: by which transport, at which address, in which language and zone. All of it in SQL."""

from __future__ import annotations

from collections.abc import Sequence

FIELDS = {"sms": "phone", "email": "email", "telegram": "telegram"}  # transport → column of the CTE `reached`
# All records of the canonical patient {root}: both sides of the OR are indexes of one table.
GROUP = "SELECT g.id FROM patients_patient g WHERE g.id = {root} OR g.canonical_id = {root}"
# The same for an id that is a column: one probe less, which counts with a hundred thousand patients.
RECORDS = "SELECT {root} UNION ALL SELECT g.id FROM patients_patient g WHERE g.canonical_id = {root}"
# An address that does not work. Who has unsubscribed is no question of reach: he is not told by another way instead.
SUPPRESSED = """EXISTS (SELECT 1 FROM messaging_suppression s WHERE s.transport = '{transport}'
    AND s.address = LOWER({address}) AND s.lifted_at IS NULL AND s.kind <> 'unsubscribed')"""
# Usable addresses come first, then the survivor's own, then those of records that were merged into him. A suppressed
# one stays the answer where there is no other: so the message ends with the reason, and not as "no address".
PHONE = """(SELECT f.number FROM patients_patientphone f JOIN patients_patient o ON o.id = f.patient_id
    WHERE f.patient_id IN ({group})
    ORDER BY {suppressed}, o.canonical_id IS NOT NULL, f.position, f.id LIMIT 1)"""
EMAIL = """(SELECT e.email FROM patients_patient e WHERE e.id IN ({group}) AND e.email <> ''
    ORDER BY {suppressed}, e.canonical_id IS NOT NULL, e.id LIMIT 1)"""
TELEGRAM = """(SELECT CAST(t.chat_id AS varchar(20)) FROM messaging_telegramchat t
    WHERE t.patient_id IN ({group}) AND t.unlinked_at IS NULL ORDER BY {suppressed}, t.linked_at DESC, t.id LIMIT 1)"""
LOOKED_UP = (
    ("sms", PHONE, "f.number"),
    ("email", EMAIL, "e.email"),
    ("telegram", TELEGRAM, "CAST(t.chat_id AS varchar(20))"),
)
# Materialised: inlined, PostgreSQL would look up an address anew wherever its name stands.
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
found AS MATERIALIZED (SELECT who.*, {addresses} FROM who),
reached AS MATERIALIZED (SELECT found.*, {usable} FROM found)"""


def reachable_sql() -> str:
    """CTE `reached` after a CTE `due(patient_id, branch_tz, …)`: adds `tz`, `language`, `preferred`, and of each transport
    the address (`phone`, `email`, `telegram`; NULL = none) and whether it may be used (`phone_ok`, …).

    A child is reached through the responsible adult, himself only when the adult cannot be. Parameters: the birth date
    from which on (and before) people are grown up, and the language of those who named none.
    """
    addresses, usable = [], []
    for transport, sql, address in LOOKED_UP:
        name = FIELDS[transport]
        suppressed = SUPPRESSED.format(transport=transport, address=address)
        adult, own = (
            sql.format(group=RECORDS.format(root=hop), suppressed=suppressed)
            for hop in ("who.contact_id", "who.root_id")
        )
        addresses.append(f"COALESCE({adult}, CASE WHEN who.contact_id <> who.root_id THEN {own} END) AS {name}")
        taken = SUPPRESSED.format(transport=transport, address=f"found.{name}")
        usable.append(f"(found.{name} IS NOT NULL AND NOT {taken}) AS {name}_ok")
    return REACHABLE.format(addresses=", ".join(addresses), usable=", ".join(usable))


def choice_sql(order: Sequence[str], *, of_address: bool) -> str:
    """The transport that the patient wishes if it can be used, else the first of `order` that can (see
    `queries.routes`); else, so that the message ends with its reason, one with an address at all.

    `of_address`: the address instead of the transport's name; '' where there is none at all.
    """
    first = [name for name in order if name in FIELDS] or list(FIELDS)
    every = [*first, *(name for name in FIELDS if name not in first)]

    def when(name: str, usable: str, wish: str = "") -> str:
        answer = FIELDS[name] if of_address else f"'{name}'"
        return f"WHEN {FIELDS[name]}{usable}{wish} THEN {answer}"

    cases = [when(name, "_ok", f" AND preferred = '{name}'") for name in first]
    cases += [when(name, "_ok") for name in first]
    cases += [when(name, " IS NOT NULL") for name in every]
    fallback = "''" if of_address else f"'{first[0]}'"
    return f"CASE {' '.join(cases)} ELSE {fallback} END"
