"""All value facts of patients in one statement: for everybody at night, for some after a visit, for one on a card.

It stands on the same names as the metrics (`patients.metrics.base`), so no figure is defined twice.
"""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.sql import date_literal, instant_literal
from loyalty.metrics.ltv import PAID
from loyalty.metrics.recall import SEGMENT
from loyalty.models import RfmScale
from loyalty.rules import NATURAL, SHORTEST_RHYTHM
from patients.metrics import Scope
from staff.models import LossRule

HORIZONS = (12, 36, 60)
WINDOWS = ", ".join(f"{{after:d0|{k}}} AS end_{k}" for k in HORIZONS)
SUMS = ", ".join(
    f"CAST(SUM(CASE WHEN {{day}} < u.end_{k} THEN {{amount}} ELSE 0 END) AS BIGINT) AS m{k}" for k in HORIZONS
)


def sums(day: str, amount: str) -> str:
    """Sums of the money whose month index is below 12, 36 and 60."""
    return SUMS.replace("{day}", day).replace("{amount}", amount)


def score(order: str, among: str = "") -> str:
    """Score 1..5 by rank: RANK - 1 = how many are strictly smaller."""
    return f"1 + 5 * (RANK() OVER ({among} ORDER BY {order}) - 1) / COUNT(*) OVER ({among})"


CTES = {
    "paid": PAID,
    # One ordered walk over the visits tells days, gaps, the first doctor and the second day.
    "stepped": """
        SELECT v.person, v.doctor_id, v.day, v.cost, LAG(v.day) OVER w AS prev, ROW_NUMBER() OVER w AS place
        FROM visited v WINDOW w AS (PARTITION BY v.person ORDER BY v.start_at, {text:v.external_id}, v.id)""",
    "lives": """
        SELECT person, COUNT(*) AS visits, MIN(day) AS d0, MAX(day) AS dl, CAST(SUM(cost) AS BIGINT) AS cost,
            SUM(CASE WHEN prev = day THEN 0 ELSE 1 END) AS visit_days,
            SUM(CASE WHEN prev = day OR day <= {D} - 365 THEN 0 ELSE 1 END) AS year_days,
            MIN(CASE WHEN prev < day THEN day END) AS second_day,
            MIN(CASE WHEN place = 1 THEN doctor_id END) AS first_doctor_id
        FROM stepped GROUP BY person""",
    "until": f"SELECT person, {WINDOWS} FROM lives",
    "brought": f"""
        SELECT m.person, CAST(SUM(m.amount) AS BIGINT) AS revenue, {sums("m.value_day", "m.amount")},
            CAST(SUM(CASE WHEN m.value_day > {{D}} - 365 THEN m.amount ELSE 0 END) AS BIGINT) AS year_money
        FROM money m LEFT JOIN until u ON u.person = m.person GROUP BY m.person""",
    "costed": f"""
        SELECT v.person, {sums("v.day", "v.cost")}
        FROM visited v JOIN until u ON u.person = v.person GROUP BY v.person""",
    "closing": """
        SELECT person, doctor_id FROM (
            SELECT v.person, v.doctor_id, ROW_NUMBER() OVER (
                PARTITION BY v.person ORDER BY v.start_at DESC, v.id DESC) AS place
            FROM visited v) r
        WHERE place = 1""",
    "own": """
        SELECT c.person, c.doctor_id FROM (
            SELECT person, doctor_id, COUNT(*) AS n FROM visited GROUP BY person, doctor_id) c
        JOIN lives l ON l.person = c.person WHERE l.visits >= 3 AND 100 * c.n >= 60 * l.visits""",
    "rhythm": """
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
    "known": f"""
        SELECT b.person AS patient_id, l.visits, l.visit_days, l.d0, l.dl, {{D}} - l.dl AS silence,
            COALESCE(l.cost, 0) AS cost, COALESCE(c.paid_visits, 0) AS paid_visits, COALESCE(c.paid_sum, 0) AS paid_sum,
            COALESCE(e.revenue, 0) AS revenue, l.second_day,
            {", ".join(f"COALESCE(e.m{k}, 0) AS revenue_{k}" for k in HORIZONS)},
            {", ".join(f"COALESCE(e.m{k}, 0) - COALESCE(k.m{k}, 0) AS margin_{k}" for k in HORIZONS)},
            COALESCE(l.year_days, 0) AS year_days, COALESCE(e.year_money, 0) AS year_money,
            l.first_doctor_id, w.doctor_id AS own_doctor_id, x.start_at AS booked_at,
            {{theta_days}} AS theta_days, {{special}} AS special,
            CASE WHEN f.person IS NULL THEN 0 ELSE 1 END AS is_natural, r.gap AS median_gap,
            CASE WHEN r.gap < {SHORTEST_RHYTHM} THEN {SHORTEST_RHYTHM} ELSE r.gap END AS usual
        FROM member b LEFT JOIN lives l ON l.person = b.person
        LEFT JOIN paid c ON c.person = b.person LEFT JOIN brought e ON e.person = b.person
        LEFT JOIN costed k ON k.person = b.person LEFT JOIN own w ON w.person = b.person
        LEFT JOIN next_visit x ON x.person = b.person LEFT JOIN left_us f ON f.person = b.person
        LEFT JOIN rhythm r ON r.person = b.person {{special_join}}
        WHERE b.record = b.person""",
    "marked": """
        SELECT patient_id AS person, d0, dl, year_days AS frequency, {r} AS r,
            CASE WHEN year_days = 0 THEN 1 ELSE {f} END AS f, CASE WHEN year_days = 0 THEN 1 ELSE {m} END AS m
        FROM known WHERE visits > 0""",
}
CAME = "PARTITION BY CASE WHEN year_days > 0 THEN 1 ELSE 0 END"
RANKS = {"r": score("dl"), "f": score("year_days", CAME), "m": score("year_money", CAME)}
PLAIN = (
    *("paid_visits", "paid_sum", "revenue", "cost", "theta_days", "median_gap", "booked_at", "year_days", "year_money"),
    *(f"{what}_{k}" for what in ("revenue", "margin") for k in HORIZONS),
    *("first_doctor_id", "own_doctor_id"),
)
STATE = """CASE WHEN k.visits IS NULL THEN 'none' WHEN k.is_natural = 1 THEN 'natural'
    WHEN k.silence > k.theta_days THEN 'lost'
    WHEN k.usual IS NOT NULL THEN
        CASE WHEN 2 * k.silence > 3 * k.usual THEN 'at_risk' WHEN k.silence > k.usual THEN 'cooling' ELSE 'active' END
    WHEN 4 * k.silence > 3 * k.theta_days THEN 'at_risk' WHEN 2 * k.silence > k.theta_days THEN 'cooling'
    ELSE 'active' END"""
RULE = """CASE WHEN k.visits IS NULL THEN 'no_visit' WHEN k.is_natural = 1 THEN 'natural'
    WHEN k.usual IS NOT NULL AND k.silence <= k.theta_days THEN 'rhythm'
    WHEN k.special = 1 THEN 'speciality' ELSE 'theta' END"""
FACTS = f"""
    SELECT k.patient_id, {{today}} AS as_of, COALESCE(k.visits, 0) AS visits, COALESCE(k.visit_days, 0) AS visit_days,
        {", ".join(f"k.{name}" for name in PLAIN)},
        {{date:k.d0}} AS first_day, {{date:k.dl}} AS last_day, {{date:k.second_day}} AS second_day,
        {STATE} AS state, {RULE} AS rule,
        COALESCE(CAST(100 * s.r + 10 * s.f + s.m AS VARCHAR(3)), '') AS rfm,
        CASE WHEN s.person IS NULL THEN '' ELSE {SEGMENT} END AS segment, {{now}} AS refreshed_at
    FROM known k LEFT JOIN marked s ON s.person = k.patient_id"""
COLUMNS = (
    *("patient_id", "as_of", "visits", "visit_days"),
    *PLAIN,
    *("first_day", "last_day", "second_day", "state", "rule", "rfm", "segment", "refreshed_at"),
)


def fact_values(scope: Scope, now: datetime) -> dict[str, Any]:
    """Values of the templates. Scores are ranks over everybody; for some records, places on the last scale."""
    special = LossRule.objects.exists()
    return {
        "now": instant_literal(now),
        "today": date_literal(scope.as_of),
        "theta_days": f"COALESCE(g.theta_days, {scope.theta})" if special else scope.theta,
        "special": "CASE WHEN g.theta_days IS NULL THEN 0 ELSE 1 END" if special else 0,
        "special_join": SPECIAL_JOIN if special else "",
        **(RANKS if scope.records is None else on_scale()),
    }


SPECIAL_JOIN = """LEFT JOIN closing z ON z.person = b.person LEFT JOIN staff_doctor d ON d.id = z.doctor_id
    LEFT JOIN staff_lossrule g ON g.speciality = d.speciality"""


def on_scale() -> dict[str, str]:
    """SQL of the scores R, F, M by the kept scale: 1 + the number of thresholds that are reached."""
    columns = {"r": "dl", "f": "year_days", "m": "year_money"}
    steps = {measure: ["1"] for measure in columns}
    for mark in RfmScale.objects.all():
        steps[mark.measure].append(f"CASE WHEN {columns[mark.measure]} >= {mark.minimum} THEN {mark.steps} ELSE 0 END")
    return {measure: " + ".join(parts) for measure, parts in steps.items()}
