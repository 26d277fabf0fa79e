"""How long and to whom people stay: M03 lifespan (Kaplan-Meier), M08 own_doctor."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from core.money import decimal_text, mean_money, ratio
from patients.metrics import Facts, Scope

FIVE_YEARS = 1826  # days
LIVES = """
    SELECT a.person AS patient_id, a.d0, a.dl, a.visit_days, CASE WHEN a.dl + {theta} <= {D} THEN 1 ELSE 0 END AS event,
        CASE WHEN a.dl + {theta} <= {D} THEN a.dl - a.d0 + {theta} ELSE {D} - a.d0 END AS time
    FROM acquired a WHERE a.truncated = 0"""


def lifespan_facts(scope: Scope) -> Facts:
    """Patients with the time of the Kaplan-Meier curve: lost (`event`) or cut off by D, in days from d0."""
    return Facts(scope, LIVES, ("patient_id",))


def lifespan(scope: Scope) -> dict[str, Any]:
    """M03. Means are {num: 16 * days, den: 487 * n}."""
    rows = lifespan_facts(scope).ask(
        "SELECT time, COUNT(*) AS n, SUM(event) AS events, SUM(dl - d0) AS days, "
        "SUM(CASE WHEN visit_days = 1 THEN 1 ELSE 0 END) AS once FROM fact GROUP BY time ORDER BY time"
    )
    n, once, days = (int(sum(row[name] for row in rows)) for name in ("n", "once", "days"))
    value, reach = restricted_mean([(row["time"], int(row["n"]), int(row["events"])) for row in rows], scope.theta)
    return {
        "patients": n,
        "one_day_patients": once,
        "mean_all_months": ratio(16 * days, 487 * n),
        "mean_repeat_months": ratio(16 * days, 487 * (n - once)),
        "km_months_restricted_60_f": value,
        "horizon_months_f": reach,
    }


def restricted_mean(times: list[tuple[int, int, int]], theta: int) -> tuple[float | None, float | None]:
    """(time, subjects, events) in order of time -> (months up to the horizon, the horizon), both less θ.

    Exact integers to the end; S falls after the day of an event, so events precede censorings of the same day.
    """
    limit = min(FIVE_YEARS + theta, times[-1][0] if times else 0)
    if limit <= theta or not any(events for _time, _n, events in times):
        return None, None
    num, den = survival_area(times, limit)
    return (num - theta * den) * 16 / (487 * den), (limit - theta) * 16 / 487


def survival_area(times: list[tuple[int, int, int]], limit: int) -> tuple[int, int]:
    """∫₀^limit S as num/den. From the end backwards: area = width + (1 - events/at risk) * (area after), no fractions
    to reduce, so a million patients over thousands of days stay cheap."""
    at_risk = 0
    num, den, end = 0, 1, limit
    for time, n, events in reversed(times):
        at_risk += n
        if events and time < limit:
            num = (num + (end - time) * den) * (at_risk - events)
            den, end = den * at_risk, time
    return num + end * den, den


DOCTORS = {
    "favourite": """
        SELECT person, MAX(n) AS most FROM (
            SELECT person, doctor_id, COUNT(*) AS n FROM visited GROUP BY person, doctor_id) c
        GROUP BY person""",
    "early": """
        SELECT person, MAX(n) AS most, CAST(SUM(n) AS BIGINT) AS visits FROM (
            SELECT v.person, v.doctor_id, COUNT(*) AS n FROM visited v JOIN life l ON l.person = v.person
            WHERE v.day < l.d0 + 180 GROUP BY v.person, v.doctor_id) c
        GROUP BY person""",
    "later": """
        SELECT m.person, CAST(SUM(m.amount) AS BIGINT) AS outcome FROM money m JOIN life l ON l.person = m.person
        WHERE m.value_day >= l.d0 + 180 AND m.value_day < l.d0 + 545 GROUP BY m.person""",
}
# M08, naive: at least 3 visits, at least 60 % of them to one doctor.
OWN = """
    SELECT a.person AS patient_id, a.d0, a.visits, a.visit_days, f.most, COALESCE(e.revenue, 0) AS revenue,
        CASE WHEN a.visits >= 3 AND 100 * f.most >= 60 * a.visits THEN 1 ELSE 0 END AS own,
        CASE WHEN a.d0 + 545 <= {D} + 1 AND y.visits >= 2 THEN 1 ELSE 0 END AS landmark,
        CASE WHEN y.most >= 2 THEN 1 ELSE 0 END AS landmark_own,
        CASE WHEN y.visits > 4 THEN 4 ELSE y.visits END AS stratum, COALESCE(o.outcome, 0) AS outcome
    FROM acquired a JOIN favourite f ON f.person = a.person JOIN early y ON y.person = a.person
    LEFT JOIN later o ON o.person = a.person LEFT JOIN earned e ON e.person = a.person
    WHERE a.truncated = 0"""
Row = dict[str, Any]


def own_doctor_facts(scope: Scope) -> Facts:
    """Patients: own by the naive rule; `landmark` = counted there, with stratum (early visits, 4 = 4+) and outcome."""
    return Facts(scope, OWN, ("patient_id",), ctes=DOCTORS)


def own_doctor(scope: Scope) -> dict[str, Any]:
    """M08."""
    rows = own_doctor_facts(scope).ask(
        "SELECT own, landmark, landmark_own, stratum, CASE WHEN visit_days = 1 THEN 1 ELSE 0 END AS once, "
        "COUNT(*) AS n, SUM(revenue) AS revenue, SUM(outcome) AS outcome FROM fact GROUP BY 1, 2, 3, 4, 5"
    )
    own, other = group(rows, "revenue", lambda r: r["own"]), group(rows, "revenue", lambda r: not r["own"])
    once = group(rows, "revenue", lambda r: r["once"])
    return {
        "naive": {
            "own": own[1],
            "other": other[1],
            "ltv_own": mean_money(*own),
            "ltv_other": mean_money(*other),
            "ratio": ratio_of_means(own, other),
        },
        "landmark": landmark([row for row in rows if row["landmark"]]),
        "vs_one_time": {
            "own": own[1],
            "one_time": once[1],
            "mean_own": mean_money(*own),
            "mean_one_time": mean_money(*once),
            "ratio": ratio_of_means(own, once),
        },
    }


def group(rows: list[Row], measure: str, wanted: Callable[[Row], Any]) -> tuple[int, int]:
    """(sum of the measure, number of patients) over the wanted rows."""
    chosen = [row for row in rows if wanted(row)]
    return int(sum(row[measure] for row in chosen)), int(sum(row["n"] for row in chosen))


def ratio_of_means(left: tuple[int, int], right: tuple[int, int]) -> str | None:
    """Mean over mean, exactly; None if a group is empty or the second mean is 0."""
    if not left[1] or not right[1]:
        return None
    return decimal_text(left[0] * right[1], left[1] * right[0], 6)


def landmark(rows: list[Row]) -> dict[str, Any]:
    own = group(rows, "outcome", lambda r: r["landmark_own"])
    other = group(rows, "outcome", lambda r: not r["landmark_own"])
    return {
        "own": own[1],
        "other": other[1],
        "mean_own": mean_money(*own),
        "mean_other": mean_money(*other),
        "ratio": ratio_of_means(own, other),
        "stratified_ratio": stratified(rows),
    }


def stratified(rows: list[Row]) -> str | None:
    """Σ n_own·mean_own / Σ n_own·mean_other over the strata in which both groups have somebody."""
    upper, lower = 0, Fraction(0)
    for stratum in (2, 3, 4):
        same = [row for row in rows if row["stratum"] == stratum]
        ours, n = group(same, "outcome", lambda r: r["landmark_own"])
        theirs, others = group(same, "outcome", lambda r: not r["landmark_own"])
        if n and others:
            upper, lower = upper + ours, lower + Fraction(n * theirs, others)
    return decimal_text(upper * lower.denominator, lower.numerator, 6)
