"""What every metric stands on: who counts, which visits and money are seen at the end of day D (metrics.md 1).

`Scope` fills the templates below; each metric writes its question over their names. Built once, shared by all rooms:

    member   records that count (no test person; of the channel)   touch    first touch: channel, earliest created_at
    visited  visits (completed, begun by D)                         net      money of a visit (without a row: none)
    money    payments and refunds of patients                       earned   money of a patient
    life     first and last visit-day, cost of acquired patients    acquired the same, with `truncated`
    chain    visit-days with the one before and after               opening  the first visit of a patient
    appointment  every booking that is seen, with its local day of booking
"""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from core.clock import day_end, day_number, day_start
from core.sql import MACROS, Macro, date_literal, fetch, id_list, instant_literal, local_day, with_clause

PERSON = "COALESCE(p.canonical_id, p.id)"
CTES = {
    "tested": """MATERIALIZED
        SELECT DISTINCT COALESCE(p.canonical_id, p.id) AS person FROM patients_patient p WHERE p.is_test""",
    "hidden": """MATERIALIZED
        SELECT p.id AS record FROM patients_patient p WHERE p.id IN (SELECT person FROM tested)
        UNION ALL
        SELECT p.id FROM patients_patient p WHERE p.canonical_id IN (SELECT person FROM tested)""",
    "merged": """MATERIALIZED
        SELECT p.id AS record, p.canonical_id AS person FROM patients_patient p WHERE p.canonical_id IS NOT NULL""",
    "touch": """
        SELECT person, channel_id, created_at FROM (
            SELECT COALESCE(p.canonical_id, p.id) AS person, p.channel_id, p.created_at, ROW_NUMBER() OVER (
                PARTITION BY COALESCE(p.canonical_id, p.id) ORDER BY p.created_at, {text:p.external_id}, p.id) AS place
            FROM patients_patient p {touch_records}) r
        WHERE place = 1""",
    "payer": """NOT MATERIALIZED
        SELECT p.id AS record, COALESCE(p.canonical_id, p.id) AS person FROM patients_patient p
        WHERE NOT EXISTS (SELECT 1 FROM tested t WHERE t.person = COALESCE(p.canonical_id, p.id)) {only_channel}""",
    "member": """NOT MATERIALIZED SELECT record, person FROM payer {only_records}""",
    "visited": """
        SELECT v.id, {person:v} AS person, v.doctor_id, v.branch_id, v.start_at, v.external_id, v.cost, v.diagnosis,
            v.recommended_return_date, {visit_day} AS day
        FROM patients_visit v {whose:v}
        WHERE v.status = 'completed' AND v.start_at < {t_end} AND v.booked_at < {t_end} {counted:v}
            {only_visits} {visit_window}""",
    "appointment": """
        SELECT v.id, {person:v} AS person, v.doctor_id, v.branch_id, v.start_at, v.booked_at, v.cancelled_at,
            CASE WHEN v.status = 'arrived' THEN 'scheduled' ELSE v.status END AS status,
            {visit_day} AS day, {local:v.booked_at} AS booked_day
        FROM patients_visit v {whose:v}
        WHERE v.booked_at < {t_end} {counted:v} {only_visits}""",
    "net": """
        SELECT id, person, CAST(SUM(amount) AS BIGINT) AS net FROM (
            SELECT v.id, v.person, y.amount FROM visited v JOIN patients_payment y ON y.visit_id = v.id
                {payer:y} WHERE y.kind = 'payment' AND y.paid_at < {t_end} {payer_counted:y}
            UNION ALL
            SELECT v.id, v.person, -r.amount FROM visited v JOIN patients_payment y ON y.visit_id = v.id
                JOIN patients_payment r ON r.refund_of_id = y.id {payer:r}
                WHERE r.refund_of_id IS NOT NULL AND r.kind = 'refund' AND r.paid_at < {t_end} {payer_counted:r}
            UNION ALL
            SELECT v.id, v.person, l.amount FROM visited v JOIN patients_allocation l ON l.visit_id = v.id
                JOIN patients_payment y ON y.id = l.payment_id {payer:y}
                WHERE y.kind = 'payment' AND y.paid_at < {t_end} {payer_counted:y}) parts
        GROUP BY id, person""",
    "money": """
        SELECT y.id, {person:y} AS person, y.amount, {paid_day} AS day, {payment_value_day} AS value_day
        FROM patients_payment y {whose:y} {only_paid}
        WHERE y.kind = 'payment' AND y.paid_at < {t_end} {counted:y} {money_window}
        UNION ALL
        SELECT r.id, {person:r}, -r.amount, {refunded_day}, {refund_value_day}
        FROM patients_payment r JOIN patients_payment y ON y.id = r.refund_of_id {whose:r} {only_paid}
        WHERE r.refund_of_id IS NOT NULL AND r.kind = 'refund' AND r.paid_at < {t_end} {counted:r} {refund_window}""",
    "earned": "SELECT person, CAST(SUM(amount) AS BIGINT) AS revenue FROM money GROUP BY person",
    "life": """
        SELECT person, COUNT(*) AS visits, COUNT(DISTINCT day) AS visit_days, MIN(day) AS d0, MAX(day) AS dl,
            CAST(SUM(cost) AS BIGINT) AS cost
        FROM visited GROUP BY person""",
    "acquired": "SELECT l.*, {truncated} AS truncated FROM life l {truncated_join}",
    # Two walks in one order: a DISTINCT would be hashed and then sorted all the same.
    "chain": """
        SELECT person, day, LAG(day) OVER w AS prev, LEAD(day) OVER w AS next FROM (
            SELECT person, day, LAG(day) OVER (PARTITION BY person ORDER BY day) AS before FROM visited) d
        WHERE before IS NULL OR before < day WINDOW w AS (PARTITION BY person ORDER BY day)""",
    "opening": """
        SELECT person, id, doctor_id, day FROM (
            SELECT v.*, ROW_NUMBER() OVER (
                PARTITION BY v.person ORDER BY v.start_at, {text:v.external_id}, v.id) AS place
            FROM visited v) r
        WHERE place = 1""",
}


@dataclass(frozen=True)
class Period:
    """Inclusive local dates."""

    first: date
    last: date


@dataclass(frozen=True)
class Scope:
    """What is looked at: as of the end of local day `as_of`, perhaps only some visits, patients or records.

    `branch`, `doctor`: ids whose visits alone exist; `channels`: ids of first touch (None among them = unknown);
    `records`: patient records to which the question is limited (all records of a person, or none of them).
    `tz` is the zone in which days are counted; `stored_tz` that of the days that the tables keep.
    """

    as_of: date
    tz: str
    stored_tz: str
    theta: int
    history_from: date | None = None
    branch: tuple[int, ...] | None = None
    doctor: tuple[int, ...] | None = None
    channels: tuple[int | None, ...] | None = None
    records: tuple[int, ...] | None = None

    @property
    def t_end(self) -> datetime:
        return day_end(self.as_of, self.tz)

    @property
    def day(self) -> int:
        return day_number(self.as_of)

    def of(self, records: tuple[int, ...]) -> Scope:
        return replace(self, records=records)

    @cached_property
    def values(self) -> dict[str, Any]:
        """Everything that the templates name, but the windows."""
        local = local_day(self.tz, self.as_of.year + 2)
        return {
            **MACROS,
            "local": Macro(local),
            "t_end": instant_literal(self.t_end),
            "D": self.day,
            "theta": self.theta,
            **self._days(local),
            **self._filters(),
            **self._people(),
            **self._truncation(),
            **dict.fromkeys(("visit_window", "money_window", "refund_window"), ""),
        }

    def _days(self, local: Any) -> dict[str, str]:
        stored, day = self.tz == self.stored_tz, MACROS["day"].function
        return {
            "visit_day": day("v.day") if stored else local("v.start_at"),
            "paid_day": day("y.day") if stored else local("y.paid_at"),
            "payment_value_day": day("y.day") if stored else local("y.paid_at"),
            "refunded_day": day("r.day") if stored else local("r.paid_at"),
            "refund_value_day": day("y.day") if stored else local("y.paid_at"),
        }

    def _filters(self) -> dict[str, str]:
        limits = [
            f"f.{name}_id IN {id_list(getattr(self, name))}" for name in ("branch", "doctor") if getattr(self, name)
        ]
        only = " AND ".join(limits)
        records = id_list(self.records) if self.records is not None else ""
        return {
            "only_visits": f"AND {only.replace('f.', 'v.')}" if only else "",
            "only_paid": f"JOIN patients_visit f ON f.id = y.visit_id AND {only}" if only else "",
            "only_records": f"WHERE record IN {records}" if records else "",
            "touch_records": f"WHERE p.id IN {records}" if records and self.channels is None else "",
            "only_channel": f"AND {PERSON} IN (SELECT person FROM touch WHERE {self.channel_condition()})"
            if self.channels
            else "",
        }

    def _people(self) -> dict[str, Macro]:
        """How a fact finds its person. Test persons and merged records are few: looking a fact's record up among them
        is cheaper than joining all patients; a filter of patients does join them.
        """
        some = self.channels is not None or self.records is not None
        join = Macro(lambda f: f"JOIN member b ON b.record = {f}.patient_id")
        look = Macro(lambda f: f"LEFT JOIN merged b ON b.record = {f}.patient_id")
        paid_by = Macro(lambda f: f"JOIN payer b ON b.record = {f}.patient_id")
        nothing, real = Macro(lambda _: ""), Macro(lambda f: f"AND {f}.patient_id NOT IN (SELECT record FROM hidden)")
        return {
            "whose": join if some else look,
            "person": Macro(lambda f: "b.person" if some else f"COALESCE(b.person, {f}.patient_id)"),
            "counted": nothing if some else real,
            "payer": paid_by if self.channels else nothing,
            "payer_counted": nothing if self.channels else real,
        }

    def channel_condition(self, column: str = "channel_id") -> str:
        """SQL: the column holds one of the filter's channels."""
        known = [channel for channel in self.channels or () if channel is not None]
        unknown = f" OR {column} IS NULL" if None in (self.channels or ()) else ""
        return f"{column} IN {id_list(known)}{unknown}"

    def _truncation(self) -> dict[str, str]:
        """Left-truncated: d0 before H0 + θ, and known (created) before H0."""
        if self.history_from is None:
            return {"truncated": "0", "truncated_join": ""}
        start = instant_literal(day_start(self.history_from, self.tz))
        limit = day_number(self.history_from) + self.theta
        return {
            "truncated": f"CASE WHEN l.d0 < {limit} AND t.created_at < {start} THEN 1 ELSE 0 END",
            "truncated_join": "JOIN touch t ON t.person = l.person",
        }

    def windows(self, period: Period) -> dict[str, Any]:
        """Values that limit `visited` and `money` (by own date) to the period: for metrics that need nothing else."""
        low, high = day_number(period.first), day_number(period.last)
        slack = timedelta(days=0 if self.tz == self.stored_tz else 2)
        near = f"BETWEEN {date_literal(period.first - slack)} AND {date_literal(period.last + slack)}"
        exact = {
            name: f"AND {text} BETWEEN {low} AND {high}" for name, text in self._days(local_day(self.tz, 2100)).items()
        }
        return {
            "visit_window": f"AND v.day {near} {exact['visit_day'] if slack else ''}",
            "money_window": f"AND y.day {near} {exact['paid_day'] if slack else ''}",
            "refund_window": f"AND r.day {near} {exact['refunded_day'] if slack else ''}",
        }

    def ask(self, question: str, ctes: dict[str, str] | None = None, **values: Any) -> list[dict[str, Any]]:
        """Rows of a template over the names of this file and of `ctes` (a metric's own, in order of dependence)."""
        whole = self.records is None and not values.get("visit_window")
        return fetch(self.sql(question, ctes, **values), whole)

    def sql(self, question: str, ctes: dict[str, str] | None = None, **values: Any) -> str:
        filled = self.values | values
        texts = {name: text.format_map(filled) for name, text in (CTES | (ctes or {})).items()}
        return with_clause(texts, question.format_map(filled))
