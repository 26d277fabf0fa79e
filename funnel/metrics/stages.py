"""Conversion of leads: M21 funnel_cohort and funnel_snapshot, M31 response_bands.

A filter by branch or doctor keeps all leads and only those appointments; by channel, see `leads`.
"""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from typing import Any

from core.money import ratio
from funnel.metrics.leads import LEADS, UNKNOWN, lead_values
from patients.metrics import Facts, Period, Scope
from patients.metrics.codes import codes_of
from patients.metrics.facts import days, share

AUDIENCES = ("new", "existing", "all")
# stage: (column, days of its window, the stage before it)
STAGES: dict[str, tuple[str, int, str | None]] = {
    "booked": ("did_book", 14, None),
    "arrived": ("did_come", 45, "did_book"),
    "paid": ("did_pay", 45, "did_come"),
    "repeat": ("did_return", 135, "did_pay"),
    "referral": ("did_refer", 365, "did_pay"),
}
BANDS = ("le_60", "le_120", "le_900", "later", "none")
BOOKED = {
    "booked": """
        SELECT DISTINCT l.id FROM lead l JOIN funnel_leadbooking b ON b.lead_id = l.id
            JOIN appointment a ON a.id = b.visit_id
        WHERE a.booked_day BETWEEN l.day AND l.day + 14"""
}
AUDIENCE = {
    "known": "SELECT person, MIN(day) AS d0 FROM visited GROUP BY person",
    "asking": """
        SELECT * FROM (
            SELECT l.*, CASE WHEN k.d0 < l.day THEN 'existing' ELSE 'new' END AS audience
            FROM lead l LEFT JOIN known k ON k.person = l.person) x
        {only_audience}""",
}
# The referrer of a person: the first on any record, oldest record first, that is somebody else and real.
SENT = {
    "sent": """
        SELECT person, referrer FROM (
            SELECT m.person, r.person AS referrer, ROW_NUMBER() OVER (
                PARTITION BY m.person ORDER BY p.created_at, {text:p.external_id}, p.id) AS place
            FROM patients_patient p JOIN member m ON m.record = p.id JOIN member r ON r.record = p.referrer_id
            WHERE p.referrer_id IS NOT NULL AND r.person <> m.person) x
        WHERE place = 1"""
}
REACHED = {
    "came": """
        SELECT l.id, l.day, v.person, v.day AS came, MAX(COALESCE(n.net, 0)) OVER (PARTITION BY l.id) AS best,
            ROW_NUMBER() OVER (PARTITION BY l.id ORDER BY v.start_at, {text:v.external_id}, v.id) AS place
        FROM asking l JOIN booked k ON k.id = l.id JOIN funnel_leadbooking b ON b.lead_id = l.id
            JOIN visited v ON v.id = b.visit_id LEFT JOIN net n ON n.id = v.id
        WHERE v.day BETWEEN l.day AND l.day + 45""",
    "arrival": "SELECT id, day, person, came, CASE WHEN best > 0 THEN 1 ELSE 0 END AS paid FROM came WHERE place = 1",
    "referring": """
        SELECT DISTINCT a.id FROM arrival a JOIN sent s ON s.referrer = a.person JOIN known k ON k.person = s.person
        WHERE k.d0 > a.came AND k.d0 <= a.day + 365""",
}
COHORT = """
    SELECT l.id, l.person AS patient_id, l.channel_id, l.day, l.audience,
        CASE WHEN k.id IS NULL THEN 0 ELSE 1 END AS did_book, CASE WHEN a.id IS NULL THEN 0 ELSE 1 END AS did_come,
        COALESCE(a.paid, 0) AS did_pay, CASE WHEN a.paid = 1 AND c.next <= l.day + 135 THEN 1 ELSE 0 END AS did_return,
        CASE WHEN a.paid = 1 AND r.id IS NOT NULL THEN 1 ELSE 0 END AS did_refer,
        CASE WHEN l.day + 14 <= {D} THEN 1 ELSE 0 END AS passed_14,
        CASE WHEN l.day + 45 <= {D} THEN 1 ELSE 0 END AS passed_45,
        CASE WHEN l.day + 135 <= {D} THEN 1 ELSE 0 END AS passed_135,
        CASE WHEN l.day + 365 <= {D} THEN 1 ELSE 0 END AS passed_365
    FROM asking l LEFT JOIN booked k ON k.id = l.id LEFT JOIN arrival a ON a.id = l.id
        LEFT JOIN chain c ON c.person = a.person AND c.day = a.came LEFT JOIN referring r ON r.id = l.id"""
# Kinds: lead, booking, visit (amount = its money) of the audience; second = second visit-day, referred = new patient.
FLOW = """
    SELECT 'lead' AS kind, l.id, l.person AS patient_id, l.channel_id, l.day, CAST(0 AS BIGINT) AS amount
    FROM asking l WHERE l.day BETWEEN {first} AND {last}
    UNION ALL
    SELECT 'booking', a.id, a.person, l.channel_id, a.booked_day, 0
    FROM asking l JOIN funnel_leadbooking b ON b.lead_id = l.id JOIN appointment a ON a.id = b.visit_id
    WHERE a.booked_day BETWEEN {first} AND {last}
    UNION ALL
    SELECT 'visit', v.id, v.person, l.channel_id, v.day, COALESCE(n.net, 0)
    FROM asking l JOIN funnel_leadbooking b ON b.lead_id = l.id JOIN visited v ON v.id = b.visit_id
        LEFT JOIN net n ON n.id = v.id
    WHERE v.day BETWEEN {first} AND {last}
    UNION ALL
    SELECT 'second', c.person, c.person, CAST(NULL AS BIGINT), c.next, 0
    FROM chain c WHERE c.prev IS NULL AND c.next BETWEEN {first} AND {last}
    UNION ALL
    SELECT 'referred', a.person, a.person, CAST(NULL AS BIGINT), a.d0, 0
    FROM acquired a JOIN sent s ON s.person = a.person
    WHERE a.truncated = 0 AND a.d0 BETWEEN {first} AND {last}"""
BANDED = """
    SELECT l.id, l.person AS patient_id, l.channel_id, l.day, {wait} AS wait,
        CASE WHEN {wait} IS NULL THEN 'none' WHEN {wait} <= 60 THEN 'le_60' WHEN {wait} <= 120 THEN 'le_120'
            WHEN {wait} <= 900 THEN 'le_900' ELSE 'later' END AS band,
        CASE WHEN k.id IS NULL THEN 0 ELSE 1 END AS did_book
    FROM asking l LEFT JOIN booked k ON k.id = l.id WHERE l.day + 14 <= {D}"""


def audience_values(audience: str) -> dict[str, str]:
    """`audience`: one of AUDIENCES."""
    return {"only_audience": "" if audience == "all" else f"WHERE audience = '{audience}'"}


def funnel_cohort_facts(scope: Scope, period: Period, audience: str = "new") -> Facts:
    """Leads of the period: which stages each has reached in its window, and which windows have passed."""
    ctes = {**LEADS, **BOOKED, **AUDIENCE, **SENT, **REACHED}
    return Facts(scope, COHORT, ("id",), ctes=ctes, values=lead_values(scope, period) | audience_values(audience))


def funnel_cohort(scope: Scope, period: Period, audience: str = "new", by: str = "") -> dict[str, Any]:
    """M21. {leads, stage: {mature, immature, of_leads, of_previous}}; by "channel": {code: the same}."""
    rows = funnel_cohort_facts(scope, period, audience).ask(
        f"SELECT channel_id, COUNT(*) AS leads, {', '.join(counts())} FROM fact GROUP BY channel_id"
    )
    if by != "channel":
        return cohort(rows)
    codes = codes_of("channel")
    return dict(sorted((codes.get(row["channel_id"], UNKNOWN), cohort([row])) for row in rows))


def counts() -> list[str]:
    """SQL: of each stage, how many are mature, reached it, and reached the one before."""
    found = []
    for stage, (column, window, before) in STAGES.items():
        mature = f"passed_{window} = 1"
        found += [f"{share(mature)} AS {stage}_mature", f"{share(f'{mature} AND {column} = 1')} AS {stage}_reached"]
        found.append(f"{share(f'{mature} AND {before} = 1' if before else mature)} AS {stage}_before")
    return found


def cohort(rows: list[dict[str, Any]]) -> dict[str, Any]:
    total = {name: int(sum(row[name] for row in rows)) for name in (rows[0] if rows else ()) if name != "channel_id"}
    leads = total.get("leads", 0)
    return {"leads": leads} | {stage: cohort_row(total, leads, stage) for stage in STAGES}


def cohort_row(total: dict[str, int], leads: int, stage: str) -> dict[str, Any]:
    mature, reached, before = (total.get(f"{stage}_{name}", 0) for name in ("mature", "reached", "before"))
    return {
        "mature": mature,
        "immature": leads - mature,
        "of_leads": ratio(reached, mature),
        "of_previous": ratio(reached, before),
    }


def funnel_snapshot_facts(scope: Scope, period: Period, audience: str = "new") -> Facts:
    """What happened in the period, whatever its cohort."""
    values = lead_values(scope) | days(period) | audience_values(audience)
    return Facts(scope, FLOW, ("kind", "id"), ctes={**LEADS, **AUDIENCE, **SENT}, values=values)


def funnel_snapshot(scope: Scope, period: Period, audience: str = "new") -> dict[str, Any]:
    """M21. A flow, not a conversion: it may exceed 100 %."""
    rows = funnel_snapshot_facts(scope, period, audience).ask(
        f"SELECT kind, COUNT(*) AS n, {share('amount > 0')} AS paid FROM fact GROUP BY kind"
    )
    n = {row["kind"]: row["n"] for row in rows}
    paid = sum(int(row["paid"]) for row in rows if row["kind"] == "visit")
    leads, bookings, arrivals = (n.get(kind, 0) for kind in ("lead", "booking", "visit"))
    return {
        "leads": leads,
        "bookings": bookings,
        "arrivals": arrivals,
        "paid": paid,
        "second_visits": n.get("second", 0),
        "referred_new_patients": n.get("referred", 0),
        "bookings_per_lead": ratio(bookings, leads),
        "arrivals_per_booking": ratio(arrivals, bookings),
        "paid_per_arrival": ratio(paid, arrivals),
    }


def response_bands_facts(scope: Scope, period: Period) -> Facts:
    """New leads of the period whose 14 days have passed, by the time to their first answer."""
    ctes = {**LEADS, **BOOKED, **AUDIENCE}
    return Facts(scope, BANDED, ("id",), ctes=ctes, values=lead_values(scope, period) | audience_values("new"))


def response_bands(scope: Scope, period: Period) -> dict[str, Any]:
    """M31. {band: share booked}; empty bands are left out."""
    rows = response_bands_facts(scope, period).ask(
        "SELECT band, COUNT(*) AS n, SUM(did_book) AS booked FROM fact GROUP BY band"
    )
    found = {row["band"]: ratio(int(row["booked"]), row["n"]) for row in rows}
    return {band: found[band] for band in BANDS if band in found}
