"""What a new patient and a lead cost: M09 cac, M32 cost_per."""

from __future__ import annotations

from typing import Any

from core.money import mean_money, money_text
from core.sql import date_literal
from funnel.metrics.leads import LEADS, UNKNOWN, lead_values
from funnel.metrics.stages import BOOKED
from patients.metrics import Facts, Period, Scope
from patients.metrics.codes import codes_of
from patients.metrics.facts import days
from patients.models import Channel

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

# Kinds: `lead` (with its own channel), `spend`, `channel`.
ENQUIRIES = """
    SELECT 'lead' AS kind, l.id, l.person AS patient_id, l.day, l.channel_id, CAST(0 AS BIGINT) AS amount,
        CASE WHEN k.id IS NULL THEN 0 ELSE 1 END AS did_book
    FROM lead l LEFT JOIN booked k ON k.id = l.id
    UNION ALL
    SELECT 'spend', s.id, NULL, s.day, s.channel_id, s.amount, 0 FROM spent s
    UNION ALL
    SELECT 'channel', h.id, NULL, NULL, h.id, 0, 0 FROM patients_channel h"""


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
    codes = rows_by_code(unknown=bool(spend.get(None) or new.get(None)))
    paid = set(Channel.objects.filter(kind=Channel.Kind.PAID).values_list("id", flat=True))
    return {
        "channels": {code: cac_row(spend.get(pk, 0), new.get(pk, 0)) for pk, code in codes},
        "blended": cac_row(sum(spend.values()), sum(new.values())),
        "paid": cac_row(sum(spend.get(pk, 0) for pk in paid), sum(new.get(pk, 0) for pk in paid)),
    }


def rows_by_code(*, unknown: bool) -> list[tuple[int | None, str]]:
    """(id, code) of every row of a table of channels, in order; `unknown` (id None) is the last."""
    known: list[tuple[int | None, str]] = sorted(codes_of("channel").items(), key=lambda pair: pair[1])
    return [*known, (None, UNKNOWN)] if unknown else known


def cac_row(spend: int, new: int) -> dict[str, Any]:
    return {"spend": money_text(spend), "new_patients": new, "cac": mean_money(spend, new)}


def cost_per_facts(scope: Scope, period: Period) -> Facts:
    """Leads of the period, whether they booked within 14 days, and the lines of acquisition spend."""
    ctes = {**LEADS, **BOOKED, "spent": SPENT}
    values = lead_values(scope, period) | spend_values(scope, period)
    return Facts(scope, ENQUIRIES, ("kind", "id"), ctes=ctes, values=values)


def cost_per(scope: Scope, period: Period) -> dict[str, Any]:
    """M32. {channel or all: row}; the row `unknown` only when it has a lead or spend."""
    rows = cost_per_facts(scope, period).ask(
        "SELECT kind, channel_id, COUNT(*) AS n, SUM(did_book) AS booked, SUM(amount) AS amount FROM fact "
        "WHERE kind <> 'channel' GROUP BY kind, channel_id"
    )
    spend: dict[int | None, int] = {row["channel_id"]: int(row["amount"]) for row in rows if row["kind"] == "spend"}
    leads = {row["channel_id"]: (row["n"], int(row["booked"])) for row in rows if row["kind"] == "lead"}
    codes = rows_by_code(unknown=bool(spend.get(None) or None in leads))
    found = {code: (spend.get(pk, 0), *leads.get(pk, (0, 0))) for pk, code in codes}
    whole = (sum(values) for values in zip(*found.values(), strict=True)) if found else (0, 0, 0)
    return {code: cost_row(*values) for code, values in found.items()} | {"all": cost_row(*whole)}


def cost_row(spend: int, leads: int, bookings: int) -> dict[str, Any]:
    return {
        "spend": money_text(spend),
        "leads": leads,
        "bookings": bookings,
        "cost_per_lead": mean_money(spend, leads),
        "cost_per_booking": mean_money(spend, bookings),
    }
