"""What a new patient costs: M09 cac."""

from __future__ import annotations

from typing import Any

from core.money import mean_money, money_text
from core.sql import date_literal
from patients.metrics import Facts, Period, Scope
from patients.metrics.codes import codes_of
from patients.metrics.facts import days
from patients.models import Channel

UNKNOWN = "unknown"
SPENT = """
    SELECT s.id, s.channel_id, {day:s.date} AS day, s.amount FROM funnel_spend s
    WHERE s.purpose = 'acquisition' AND s.date BETWEEN {first_date} AND {until_date} {only_spend}"""
# Kinds: `patient` new in the period, `spend` = a line of acquisition spend, `channel` = the channels that get a row.
COSTS = """
    SELECT 'patient' AS kind, a.person AS id, a.person AS patient_id, a.d0 AS day, t.channel_id, 0 AS amount,
        '' AS channel_kind
    FROM acquired a JOIN touch t ON t.person = a.person
    WHERE a.truncated = 0 AND a.d0 BETWEEN {first} AND {last}
    UNION ALL
    SELECT 'spend', s.id, NULL, s.day, s.channel_id, s.amount, '' FROM spent s
    UNION ALL
    SELECT 'channel', h.id, NULL, NULL, h.id, 0, h.kind FROM patients_channel h"""


def spend_values(scope: Scope, period: Period) -> dict[str, Any]:
    """Values of the CTE `spent`: acquisition spend of the period up to D, under a filter of channels only theirs."""
    return days(period) | {
        "first_date": date_literal(period.first),
        "until_date": date_literal(min(period.last, scope.as_of)),
        "only_spend": f"AND ({scope.channel_condition('s.channel_id')})" if scope.channels else "",
    }


def cac_facts(scope: Scope, period: Period) -> Facts:
    """New patients by first touch and the lines of acquisition spend."""
    values = spend_values(scope, period)
    return Facts(scope, COSTS, ("kind", "id"), ctes={"spent": SPENT}, values=values)


def spend_facts(scope: Scope, period: Period) -> Facts:
    """The lines of acquisition spend alone."""
    return Facts(scope, "SELECT * FROM spent", ("id",), ctes={"spent": SPENT}, values=spend_values(scope, period))


def cac(scope: Scope, period: Period) -> dict[str, Any]:
    """M09. {channels: {code: row}, blended: row, paid: row}; the row `unknown` only when it has a patient or spend."""
    rows = cac_facts(scope, period).ask(
        "SELECT kind, channel_id, COUNT(*) AS n, SUM(amount) AS amount FROM fact WHERE kind <> 'channel' "
        "GROUP BY kind, channel_id"
    )
    spend: dict[int | None, int] = {row["channel_id"]: int(row["amount"]) for row in rows if row["kind"] == "spend"}
    new: dict[int | None, int] = {row["channel_id"]: row["n"] for row in rows if row["kind"] == "patient"}
    codes: dict[int | None, str] = dict(codes_of("channel").items())
    if spend.get(None) or new.get(None):
        codes[None] = UNKNOWN
    paid = set(Channel.objects.filter(kind=Channel.Kind.PAID).values_list("id", flat=True))
    by_code = sorted(codes.items(), key=lambda pair: (pair[0] is None, pair[1]))
    return {
        "channels": {code: cac_row(spend.get(pk, 0), new.get(pk, 0)) for pk, code in by_code},
        "blended": cac_row(sum(spend.values()), sum(new.values())),
        "paid": cac_row(sum(spend.get(pk, 0) for pk in paid), sum(new.get(pk, 0) for pk in paid)),
    }


def cac_row(spend: int, new: int) -> dict[str, Any]:
    return {"spend": money_text(spend), "new_patients": new, "cac": mean_money(spend, new)}
