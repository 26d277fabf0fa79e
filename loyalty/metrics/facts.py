"""All value facts of patients in one statement: for everybody, for some after a visit, for one on a card.

It stands on the same names as the metrics (`patients.metrics.base`), so no figure is defined twice. It has two halves:
`drawn` is what the visits and payments say of a patient, and FACTS is what the clock, the settings and everybody's ranks
make of it. The night needs the second alone for all but the patients of `loyalty.metrics.turn`.
"""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.sql import Macro, instant_literal, on_postgresql
from loyalty.metrics.recall import SEGMENT
from loyalty.models import RfmScale
from loyalty.rules import NATURAL, SHORTEST_RHYTHM
from patients.metrics import Scope
from staff.models import LossRule

HORIZONS = {12: (365, 366), 36: (1095, 1096), 60: (1825, 1827)}  # months: fewest and most days that they can last


def sums(day: str, amount: str, d0: str) -> str:
    """Sums of the money whose month index is below 12, 36 and 60.

    The calendar is slow, and only the few days around an anniversary need it.
    """
    return ", ".join(
        f"CAST(SUM(CASE WHEN {day} - {d0} < {least} THEN {amount} WHEN {day} - {d0} >= {most} THEN 0 "
        f"WHEN {day} < {{after:{d0}|{k}}} THEN {amount} ELSE 0 END) AS BIGINT) AS m{k}"
        for k, (least, most) in HORIZONS.items()
    )


DRAWN = (
    *("paid_visits", "paid_sum", "revenue", "cost", "median_gap", "booked_at", "year_days", "year_money"),
    *(f"{what}_{k}" for what in ("revenue", "margin") for k in HORIZONS),
    *("first_doctor_id", "own_doctor_id", "last_doctor_id"),
)
JUDGED = ("state", "rule", "theta_days", "rfm", "segment")
CTES = {
    # As `visited` and `money` of the base, but of those columns alone that a covering index holds.
    "came": """{fence}
        SELECT v.id, {person:v} AS person, v.doctor_id, v.start_at, v.external_id, v.cost, {day:v.day} AS day
        FROM patients_visit v {whose:v}
        WHERE v.status = 'completed' AND v.start_at < {t_end} AND v.booked_at < {t_end} {counted:v}""",
    "cash": """
        SELECT {person:y} AS person, {day:y.value_day} AS day,
            CASE WHEN y.kind = 'payment' THEN y.amount ELSE -y.amount END AS amount
        FROM {payments} y {whose:y}
        WHERE y.kind IN ('payment', 'refund') AND y.paid_at < {t_end} {counted:y}""",
    # Fenced for a few patients: the planner takes all refunds for a handful, and would look up the visit of each.
    "bought": """{fence}
        SELECT y.id, y.visit_id, y.patient_id, y.kind, y.paid_at, y.amount FROM patients_payment y {of_these:y}
        WHERE y.visit_id IS NOT NULL""",
    "settled": """
        SELECT visit_id, CAST(SUM(amount) AS BIGINT) AS paid FROM (
            SELECT y.visit_id, y.amount FROM bought y
            WHERE y.kind = 'payment' AND y.paid_at < {t_end} {payer_counted:y}
            UNION ALL
            SELECT y.visit_id, -r.amount FROM bought y JOIN patients_payment r ON r.refund_of_id = y.id
            WHERE r.refund_of_id IS NOT NULL AND r.kind = 'refund' AND r.paid_at < {t_end} {payer_counted:r}
            UNION ALL
            SELECT a.visit_id, a.amount FROM patients_allocation a {of_these:a}
            JOIN patients_payment y ON y.id = a.payment_id
            WHERE y.kind = 'payment' AND y.paid_at < {t_end} {payer_counted:y}) parts
        GROUP BY visit_id""",
    # One ordered walk over the visits tells days, gaps, the first doctor, the last one and the second day.
    "stepped": """
        SELECT v.person, v.doctor_id, v.day, v.cost, n.paid, LAG(v.day) OVER w AS prev, LEAD(v.day) OVER w AS next,
            FIRST_VALUE(v.day) OVER w AS d0
        FROM came v LEFT JOIN settled n ON n.visit_id = v.id
        WINDOW w AS (PARTITION BY v.person ORDER BY v.start_at, {text:v.external_id}, v.id ROWS UNBOUNDED PRECEDING)""",
    "lives": f"""
        SELECT person, COUNT(*) AS visits, MIN(d0) AS d0, MAX(day) AS dl, CAST(SUM(cost) AS BIGINT) AS cost,
            SUM(CASE WHEN prev = day THEN 0 ELSE 1 END) AS visit_days,
            SUM(CASE WHEN prev = day OR day <= {{D}} - 365 THEN 0 ELSE 1 END) AS year_days,
            MIN(CASE WHEN prev < day THEN day END) AS second_day,
            MIN(CASE WHEN prev IS NULL THEN doctor_id END) AS first_doctor_id,
            MIN(CASE WHEN next IS NULL THEN doctor_id END) AS last_doctor_id,
            SUM(CASE WHEN paid > 0 THEN 1 ELSE 0 END) AS paid_visits,
            CAST(SUM(CASE WHEN paid > 0 THEN paid ELSE 0 END) AS BIGINT) AS paid_sum,
            {sums("day", "cost", "d0")}, {{lower_median}} AS gap,
            {{majority}} AS own_doctor_id
        FROM stepped GROUP BY person""",
    "brought": f"""
        SELECT m.person, CAST(SUM(m.amount) AS BIGINT) AS revenue, {sums("m.day", "m.amount", "u.d0")},
            CAST(SUM(CASE WHEN m.day > {{D}} - 365 THEN m.amount ELSE 0 END) AS BIGINT) AS year_money
        FROM cash m LEFT JOIN lives u ON u.person = m.person GROUP BY m.person""",
    "own": """
        SELECT c.person, c.doctor_id FROM (
            SELECT person, doctor_id, COUNT(*) AS n FROM came GROUP BY person, doctor_id) c
        JOIN lives l ON l.person = c.person WHERE l.visits >= 3 AND 100 * c.n >= 60 * l.visits""",
    "pace": """
        SELECT person, gap FROM (
            SELECT s.person, s.day - s.prev AS gap, l.visit_days - 1 AS n,
                ROW_NUMBER() OVER (PARTITION BY s.person ORDER BY s.day - s.prev) AS place
            FROM stepped s JOIN lives l ON l.person = s.person WHERE s.prev < s.day AND l.visit_days > 3) g
        WHERE place = (n - 1) / 2 + 1""",
    "left_us": f"""
        SELECT DISTINCT l.person FROM patients_patient p JOIN member b ON b.record = p.id
        JOIN lives l ON l.person = b.person
        WHERE p.natural_churn_reason IN {NATURAL} AND {{day:p.natural_churn_date}} BETWEEN l.dl AND {{D}}""",
    "next_visit": """
        SELECT b.person, MIN(v.start_at) AS start_at FROM patients_visit v JOIN member b ON b.record = v.patient_id
        WHERE v.start_at >= {now} AND v.status IN ('scheduled', 'arrived') GROUP BY b.person""",
    # What the raw rows say of a patient: it changes with them and, within the year, with the calendar.
    "drawn": f"""
        SELECT b.person AS patient_id, l.visits, l.visit_days, l.d0, l.dl, l.second_day,
            COALESCE(l.cost, 0) AS cost, COALESCE(l.paid_visits, 0) AS paid_visits, COALESCE(l.paid_sum, 0) AS paid_sum,
            COALESCE(e.revenue, 0) AS revenue,
            {", ".join(f"COALESCE(e.m{k}, 0) AS revenue_{k}" for k in HORIZONS)},
            {", ".join(f"COALESCE(e.m{k}, 0) - COALESCE(l.m{k}, 0) AS margin_{k}" for k in HORIZONS)},
            COALESCE(l.year_days, 0) AS year_days, COALESCE(e.year_money, 0) AS year_money,
            l.first_doctor_id, {{own_doctor}} AS own_doctor_id, l.last_doctor_id, x.start_at AS booked_at,
            CASE WHEN f.person IS NULL THEN 0 ELSE 1 END AS is_natural, {{gap}} AS median_gap
        FROM member b LEFT JOIN lives l ON l.person = b.person
        LEFT JOIN brought e ON e.person = b.person
        LEFT JOIN next_visit x ON x.person = b.person LEFT JOIN left_us f ON f.person = b.person
        {{own_joins}}
        WHERE b.record = b.person""",
    # The same as the facts kept it: a night that found nothing new in the raw rows starts from here.
    "stored": f"""
        SELECT u.patient_id, NULLIF(u.visits, 0) AS visits, NULLIF(u.visit_days, 0) AS visit_days,
            {{day:u.first_day}} AS d0, {{day:u.last_day}} AS dl, {{day:u.second_day}} AS second_day,
            {", ".join(f"u.{name}" for name in DRAWN)},
            CASE WHEN u.rule = 'natural' THEN 1 ELSE 0 END AS is_natural,
            {", ".join(f"u.{name} AS was_{name}" for name in JUDGED)}
        FROM loyalty_patientvalue u""",
    "known": f"""
        SELECT k.*, {{D}} - k.dl AS silence, {{theta_days}} AS theta_days, {{special}} AS special,
            CASE WHEN k.median_gap < {SHORTEST_RHYTHM} THEN {SHORTEST_RHYTHM} ELSE k.median_gap END AS usual
        FROM {{source}} k {{special_join}}""",
    "marked": """
        SELECT k.*, year_days AS frequency, {r} AS r,
            CASE WHEN year_days = 0 THEN 1 ELSE {f} END AS f, CASE WHEN year_days = 0 THEN 1 ELSE {m} END AS m
        FROM known k""",
}
STATE = """CASE WHEN k.visits IS NULL THEN 'none' WHEN k.is_natural = 1 THEN 'natural'
    WHEN k.silence > k.theta_days THEN 'lost'
    WHEN k.usual IS NOT NULL THEN
        CASE WHEN 2 * k.silence > 3 * k.usual THEN 'at_risk' WHEN k.silence > k.usual THEN 'cooling' ELSE 'active' END
    WHEN 4 * k.silence > 3 * k.theta_days THEN 'at_risk' WHEN 2 * k.silence > k.theta_days THEN 'cooling'
    ELSE 'active' END"""
RULE = """CASE WHEN k.visits IS NULL THEN 'no_visit' WHEN k.is_natural = 1 THEN 'natural'
    WHEN k.usual IS NOT NULL AND k.silence <= k.theta_days THEN 'rhythm'
    WHEN k.special = 1 THEN 'speciality' ELSE 'theta' END"""
RFM = "CASE WHEN k.visits IS NULL THEN '' ELSE CAST(100 * k.r + 10 * k.f + k.m AS VARCHAR(3)) END"
GROUP = f"CASE WHEN k.visits IS NULL THEN '' ELSE {SEGMENT.replace('s.', 'k.')} END"
JUDGEMENT = ", ".join(
    f"{text} AS {name}" for name, text in zip(JUDGED, (STATE, RULE, "k.theta_days", RFM, GROUP), strict=True)
)
FACTS = f"""
    SELECT k.patient_id, COALESCE(k.visits, 0) AS visits, COALESCE(k.visit_days, 0) AS visit_days,
        {", ".join(f"k.{name}" for name in DRAWN)},
        {{date:k.d0}} AS first_day, {{date:k.dl}} AS last_day, {{date:k.second_day}} AS second_day,
        {JUDGEMENT}, {{now}} AS refreshed_at
    FROM marked k"""
COLUMNS = (
    *("patient_id", "visits", "visit_days"),
    *DRAWN,
    *("first_day", "last_day", "second_day"),
    *JUDGED,
    "refreshed_at",
)
# One in ninety changes from one day to the next: so many rows are written, and no more.
CHANGED = f"""
    SELECT * FROM (SELECT k.patient_id, {JUDGEMENT}, {", ".join(f"k.was_{name}" for name in JUDGED)} FROM marked k) j
    WHERE {" OR ".join(f"j.{name} <> j.was_{name}" for name in JUDGED)}"""


def fact_values(scope: Scope, now: datetime, source: str = "drawn") -> dict[str, Any]:
    """Values of the templates. `source`: `drawn`, `stored`, or a table with the columns of `drawn`.

    Scores are places on the scale that was kept when everybody was last ranked.
    """
    special = LossRule.objects.exists()
    return {
        "source": source,
        "now": instant_literal(now),
        "theta_days": f"COALESCE(g.theta_days, {scope.theta})" if special else scope.theta,
        "special": "CASE WHEN g.theta_days IS NULL THEN 0 ELSE 1 END" if special else 0,
        "special_join": SPECIAL_JOIN if special else "",
        # Danger: without a filter a join with the visits would only cost; with one, its absence reads everything. So
        # does the order of payments, thanks to which the joins and the sort by person find their rows side by side.
        "payments": IN_ORDER if scope.records is None else "patients_payment",
        "fence": "NOT MATERIALIZED" if scope.records is None else "MATERIALIZED",
        "of_these": Macro(lambda f: f"JOIN came v ON v.id = {f}.visit_id" if scope.records is not None else ""),
        **(ORDERED_SET if on_postgresql() else BY_PLACE),
        **on_scale(),
    }


IN_ORDER = """(SELECT patient_id, value_day, kind, paid_at, amount FROM patients_payment
    ORDER BY patient_id, value_day)"""
# The lower median of the gaps (M30) and the doctor with 60 % of the visits (M08), who stands in the middle of the
# sorted doctors. SQLite has no such aggregates: it finds them by walks of their own.
MIDDLE = "percentile_disc(0.5) WITHIN GROUP (ORDER BY {})"
DOCTOR = MIDDLE.format("doctor_id")
ORDERED_SET = {
    "lower_median": MIDDLE.format("CASE WHEN prev < day THEN day - prev END"),
    "gap": "CASE WHEN l.visit_days > 3 THEN l.gap END",
    "majority": f"CASE WHEN COUNT(*) >= 3 AND 100 * cardinality(array_positions(array_agg(doctor_id), {DOCTOR})) "
    f">= 60 * COUNT(*) THEN {DOCTOR} END",
    "own_doctor": "l.own_doctor_id",
    "own_joins": "",
}
BY_PLACE = {
    "lower_median": "NULL",
    "gap": "r.gap",
    "majority": "NULL",
    "own_doctor": "w.doctor_id",
    "own_joins": "LEFT JOIN pace r ON r.person = b.person LEFT JOIN own w ON w.person = b.person",
}
SPECIAL_JOIN = """LEFT JOIN staff_doctor d ON d.id = k.last_doctor_id
    LEFT JOIN staff_lossrule g ON g.speciality = d.speciality"""


SCORED = {"r": ("dl", "visits"), "f": ("year_days", "year_days"), "m": ("year_money", "year_days")}  # what, of whom


def on_scale() -> dict[str, str]:
    """SQL of the scores R, F, M by the kept scale: 1 + the number of thresholds that are reached."""
    steps = {measure: ["1"] for measure in SCORED}
    for mark in RfmScale.objects.all():
        column = SCORED[mark.measure][0]
        steps[mark.measure].append(f"CASE WHEN {column} >= {mark.minimum} THEN {mark.steps} ELSE 0 END")
    return {measure: " + ".join(parts) for measure, parts in steps.items()}
