"""How a patient can be reached: by which transport, at which address, in which language and zone. All of it in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from core.clock import add_months

GROWN_UP_MONTHS = 18 * 12

FIELDS = {"sms": "phone", "email": "email", "telegram": "telegram"}  # transport → column of the CTE `reached`
# Of each transport the addresses of a record: (FROM and join, the address, and which of several comes first).
ADDRESSES = {
    "sms": ("JOIN patients_patientphone f ON f.patient_id = r.record", "f.number", "f.position, f.id"),
    "email": ("JOIN patients_patient e ON e.id = r.record AND e.email <> ''", "e.email", "e.id"),
    "telegram": (
        "JOIN messaging_telegramchat t ON t.patient_id = r.record AND t.unlinked_at IS NULL",
        "CAST(t.chat_id AS varchar(20))",
        "t.linked_at DESC, t.id",
    ),
}
# Usable addresses come first, then the survivor's own, then those of records that were merged into him. A suppressed
# one stays the answer where there is no other: so the message ends with the reason, and not as "no address". Who has
# unsubscribed is no question of reach: he is not told by another way instead.
WAY = """
way_{name} AS (
    SELECT hop, address, ok FROM (
        SELECT r.hop, {address} AS address, s.id IS NULL AS ok, ROW_NUMBER() OVER (
            PARTITION BY r.hop ORDER BY CASE WHEN s.id IS NULL THEN 0 ELSE 1 END, r.merged, {order}) AS place
        FROM records r {source}
        LEFT JOIN messaging_suppression s ON s.transport = '{transport}' AND s.address = LOWER({address})
            AND s.lifted_at IS NULL AND s.kind <> 'unsubscribed'
    ) AS every WHERE place = 1
)"""
# Joined as sets: an address looked up row by row cost two thirds of the planning of a large audience.
REACHABLE = """
who AS MATERIALIZED (
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
hops AS (SELECT contact_id AS hop FROM who UNION SELECT root_id FROM who),
records AS (
    SELECT hop, hop AS record, 0 AS merged FROM hops
    UNION ALL SELECT hops.hop, g.id, 1 FROM hops JOIN patients_patient g ON g.canonical_id = hops.hop
),{ways},
reached AS MATERIALIZED (SELECT who.*, {columns} FROM who {joins})"""


def reachable_sql() -> str:
    """CTE `reached` after a CTE `due(patient_id, branch_tz, …)`: adds `tz`, `language`, `preferred`, and of each transport
    the address (`phone`, `email`, `telegram`; NULL = none) and whether it may be used (`phone_ok`, …).

    A child is reached through the responsible adult, himself only when the adult has no such address. Parameters:
    `reachable_params`.
    """
    ways, columns, joins = [], [], []
    for transport, (source, address, order) in ADDRESSES.items():
        name = FIELDS[transport]
        ways.append(WAY.format(name=name, address=address, order=order, source=source, transport=transport))
        adult, own = f"adult_{name}", f"own_{name}"
        columns.append(f"COALESCE({adult}.address, {own}.address) AS {name}")
        columns.append(f"COALESCE({adult}.ok, {own}.ok, FALSE) AS {name}_ok")
        joins.append(f"LEFT JOIN way_{name} {adult} ON {adult}.hop = who.contact_id")
        joins.append(f"LEFT JOIN way_{name} {own} ON {own}.hop = who.root_id")
    return REACHABLE.format(ways=",".join(ways), columns=", ".join(columns), joins=" ".join(joins))


def reachable_params(now: datetime) -> list[str]:
    """The birth date from which on (and before) people are grown up, and the language of those who named none."""
    return [add_months(now.date(), -GROWN_UP_MONTHS).isoformat(), settings.LANGUAGE_CODE]


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
