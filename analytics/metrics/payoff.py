"""M10 ltv_cac, M11 payback, M12 romi: the money of new patients is loyalty's, the spend the funnel's; they meet here.

A filter by channel: patients of that first touch, and spend of that channel. By branch or doctor: as if only those visits
existed, while the spend stays whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core.clock import add_months, day_number, month_index
from core.money import decimal_text, money_text
from funnel.metrics import SPENT, rows_by_code, spend_values
from loyalty.metrics import MONTHS
from patients.metrics import Facts, Period, Scope

CTES = {
    "spent": SPENT,
    **MONTHS,
    "fresh": "SELECT g.person, g.d0, g.m0, g.dom0 FROM began g WHERE g.d0 BETWEEN {first} AND {last}",
}
# Every new patient has a row of month 0: the visit of d0 puts one there, even if it was free.
EARNINGS = """
    SELECT 'patient' AS kind, e.person AS id, e.person AS patient_id, e.d0 AS day, t.channel_id, e.month,
        CAST(SUM(e.revenue) AS BIGINT) AS revenue, CAST(SUM(e.margin) AS BIGINT) AS margin, CAST(0 AS BIGINT) AS amount
    FROM (SELECT f.person, f.d0, d.revenue, d.margin, {index:d.day|f.m0|f.dom0} AS month
        FROM fresh f JOIN dated d ON d.person = f.person) e JOIN touch t ON t.person = e.person
    {only_months}
    GROUP BY e.person, e.d0, t.channel_id, e.month
    UNION ALL
    SELECT 'spend', s.id, NULL, s.day, s.channel_id, 0, 0, 0, s.amount FROM spent s
    UNION ALL
    SELECT 'channel', h.id, NULL, NULL, h.id, 0, 0, 0, 0 FROM patients_channel h"""
QUESTION = """
    SELECT kind, channel_id, month, COUNT(*) AS n, SUM(revenue) AS revenue, SUM(margin) AS margin,
        SUM(amount) AS amount
    FROM fact WHERE kind <> 'channel' GROUP BY kind, channel_id, month"""


@dataclass
class Return:
    """One channel, or all: kopecks. `margins`: by month after the first visit."""

    spend: int = 0
    patients: int = 0
    revenue: int = 0
    margins: dict[int, int] = field(default_factory=dict)

    @property
    def margin(self) -> int:
        return sum(self.margins.values())

    def add(self, row: dict[str, Any]) -> None:
        """A row of QUESTION."""
        if row["kind"] == "spend":
            self.spend += int(row["amount"])
            return
        month = row["month"]
        self.patients += row["n"] if month == 0 else 0
        self.revenue += int(row["revenue"])
        self.margins[month] = self.margins.get(month, 0) + int(row["margin"])


def payoff_facts(scope: Scope, period: Period, months: int | None) -> Facts:
    """Money and margin of patients new in the period by month after d0 (None: of all months), and the spend."""
    only = "" if months is None else f"WHERE e.month < {max(months, 1)}"
    values = spend_values(scope, period) | {"only_months": only}
    return Facts(scope, EARNINGS, ("kind", "id", "month"), ctes=CTES, values=values | {"tomorrow": scope.day + 1})


def returns(facts: Facts) -> Iterator[tuple[str, Return]]:
    """(code, figures) of every channel, of `unknown` when it has a patient or spend, and of `all`."""
    by_channel: dict[int | None, Return] = {}
    whole = Return()
    for row in facts.ask(QUESTION):
        by_channel.setdefault(row["channel_id"], Return()).add(row)
        whole.add(row)
    stray = by_channel.get(None, Return())
    for pk, code in rows_by_code(unknown=bool(stray.spend or stray.patients)):
        yield code, by_channel.get(pk, Return())
    yield "all", whole


def is_mature(scope: Scope, period: Period, months: int) -> bool:
    """Even a patient of the period's last day has lived all the months."""
    return day_number(add_months(period.last, months)) <= scope.day + 1


def ltv_cac_facts(scope: Scope, period: Period, months: int) -> Facts:
    return payoff_facts(scope, period, months)


def ltv_cac(scope: Scope, period: Period, months: int) -> dict[str, Any]:
    """M10. {channel or all: {mature, margin, spend, ltv_cac}}."""
    mature = is_mature(scope, period, months)
    return {
        code: {
            "mature": mature,
            "margin": money_text(found.margin),
            "spend": money_text(found.spend),
            "ltv_cac": decimal_text(found.margin, found.spend, 6) if mature and found.patients else None,
        }
        for code, found in returns(ltv_cac_facts(scope, period, months))
    }


def observed_months(scope: Scope, period: Period) -> int:
    """Whole months that all patients of the period have behind them."""
    return month_index(scope.as_of + timedelta(days=1), period.last)


def payback_facts(scope: Scope, period: Period) -> Facts:
    return payoff_facts(scope, period, observed_months(scope, period))


def payback(scope: Scope, period: Period) -> dict[str, Any]:
    """M11. {channel or all: {observed_months, payback_months}}."""
    observed = observed_months(scope, period)
    return {
        code: {"observed_months": observed, "payback_months": paid_back_after(found, observed)}
        for code, found in returns(payback_facts(scope, period))
    }


def paid_back_after(found: Return, observed: int) -> int | None:
    """The first number of months in which the margin reaches the spend."""
    if found.spend == 0 or not found.patients:
        return None
    margin = 0
    for month in range(observed):
        margin += found.margins.get(month, 0)
        if margin >= found.spend:
            return month + 1
    return None


def romi_facts(scope: Scope, period: Period, months: int | None) -> Facts:
    return payoff_facts(scope, period, months)


def romi(scope: Scope, period: Period, months: int | None) -> dict[str, Any]:
    """M12. {channel or all: {spend, revenue, margin, romi, roas}}, and `mature` when months are given."""
    mature = months is None or is_mature(scope, period, months)
    label = {} if months is None else {"mature": mature}
    return {code: romi_row(found, mature) | label for code, found in returns(romi_facts(scope, period, months))}


def romi_row(found: Return, mature: bool) -> dict[str, Any]:
    return {
        "spend": money_text(found.spend),
        "revenue": money_text(found.revenue),
        "margin": money_text(found.margin),
        "romi": decimal_text(found.margin - found.spend, found.spend, 6) if mature else None,
        "roas": decimal_text(found.revenue, found.spend, 6) if mature else None,
    }
