"""The figures of acquisition and of the funnel once more, in Python, from their REST rows alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.oracle.exact import add_months, mean_rubles, month_index, nearest_rank, quotient, ratio, rubles, share
from tests.oracle.funnel import PAIRS
from tests.oracle.schedule import common, seconds, union

Rows = list[dict[str, Any]]
WINDOWS = {"booked": ("did_book", 14), "arrived": ("did_come", 45), "paid": ("did_pay", 45),
           "repeat": ("did_return", 135), "referral": ("did_refer", 365)}  # fmt: skip
BEFORE = {"arrived": "did_book", "paid": "did_come", "repeat": "did_pay", "referral": "did_pay"}


def kop(text: str | None) -> int:
    return int(Fraction(text or 0) * 100)


def by_channel(rows: Rows, line: Callable[[Rows], dict]) -> dict:
    """A row of every channel, of `unknown` when anything lies there, and of all."""
    facts = [r for r in rows if r["kind"] != "channel"]
    names = [r["channel"] for r in rows if r["kind"] == "channel"]
    stray = [r for r in facts if r["channel"] is None]
    table = {name: line([r for r in facts if r["channel"] == name]) for name in names}
    if any(r["kind"] != "spend" or kop(r["amount"]) for r in stray):
        table["unknown"] = line(stray)
    return table | {"all": line(facts)}


def spend_of(rows: Rows) -> int:
    return sum(kop(r["amount"]) for r in rows if r["kind"] == "spend")


def earned(rows: Rows, what: str, months: int | None = None) -> int:
    ours = [r for r in rows if r["kind"] == "patient" and (months is None or r["month"] < months)]
    return sum(kop(r[what]) for r in ours)


def is_mature(to: date, months: int, as_of: date) -> bool:
    return add_months(to, months) <= as_of + timedelta(days=1)


def ltv_cac(rows: Rows, as_of: date, months: int, to: date, **_: Any) -> dict:
    mature = is_mature(to, months, as_of)

    def line(ours: Rows) -> dict:
        margin, spend = earned(ours, "margin"), spend_of(ours)
        known = mature and any(r["kind"] == "patient" for r in ours)
        return {
            "mature": mature, "margin": rubles(margin), "spend": rubles(spend),
            "ltv_cac": share(quotient(margin, spend)) if known else None,
        }  # fmt: skip

    return by_channel(rows, line)


def payback(rows: Rows, as_of: date, to: date, **_: Any) -> dict:
    observed = month_index(to, as_of + timedelta(days=1))

    def line(ours: Rows) -> dict:
        spend, known = spend_of(ours), any(r["kind"] == "patient" for r in ours)
        months = [k for k in range(1, observed + 1) if spend and known and earned(ours, "margin", k) >= spend]
        return {"observed_months": observed, "payback_months": min(months, default=None)}

    return by_channel(rows, line)


def romi(rows: Rows, as_of: date, to: date, months: int | None = None, **_: Any) -> dict:
    mature = months is None or is_mature(to, months, as_of)

    def line(ours: Rows) -> dict:
        spend, revenue, margin = spend_of(ours), earned(ours, "revenue"), earned(ours, "margin")
        return {
            "spend": rubles(spend), "revenue": rubles(revenue), "margin": rubles(margin),
            "romi": share(quotient(margin - spend, spend)) if mature else None,
            "roas": share(quotient(revenue, spend)) if mature else None,
        } | ({} if months is None else {"mature": mature})  # fmt: skip

    return by_channel(rows, line)


def cost_per(rows: Rows, **_: Any) -> dict:
    def line(ours: Rows) -> dict:
        leads = [r for r in ours if r["kind"] == "lead"]
        spend, booked = spend_of(ours), sum(r["did_book"] for r in leads)
        return {
            "spend": rubles(spend), "leads": len(leads), "bookings": booked,
            "cost_per_lead": mean_rubles(spend, len(leads)), "cost_per_booking": mean_rubles(spend, booked),
        }  # fmt: skip

    return by_channel(rows, line)


def response_sla(rows: Rows, **_: Any) -> dict:
    waits = [r["wait"] for r in rows if r["wait"] is not None]
    return {
        "leads": len(rows), "answered": len(waits),
        "within_60s": ratio(sum(1 for w in waits if w <= 60), len(rows)),
        "within_120s": ratio(sum(1 for w in waits if w <= 120), len(rows)),
        "median_s": nearest_rank(waits, 50), "p90_s": nearest_rank(waits, 90),
    }  # fmt: skip


def losses(rows: Rows, **_: Any) -> dict:
    return {"total": len(rows), "by": dict(Counter(f"{r['loss_stage']}|{r['loss_reason']}" for r in rows))}


def response_bands(rows: Rows, **_: Any) -> dict:
    bands = {r["band"] for r in rows}
    return {
        b: ratio(sum(r["did_book"] for r in rows if r["band"] == b), sum(r["band"] == b for r in rows)) for b in bands
    }


def funnel_cohort(rows: Rows, as_of: date, by: str | None = None, **_: Any) -> dict:
    def line(ours: Rows) -> dict:
        result: dict[str, Any] = {"leads": len(ours)}
        for stage, (column, window) in WINDOWS.items():
            mature = [r for r in ours if date.fromisoformat(r["day"]) + timedelta(days=window) <= as_of]
            assert mature == [r for r in ours if r[f"passed_{window}"]]
            before = [r for r in mature if stage == "booked" or r[BEFORE[stage]]]
            reached = sum(r[column] for r in mature)
            result[stage] = {
                "mature": len(mature), "immature": len(ours) - len(mature),
                "of_leads": ratio(reached, len(mature)), "of_previous": ratio(reached, len(before)),
            }  # fmt: skip
        return result

    if not by:
        return line(rows)
    names = {r["channel"] for r in rows}
    return {name or "unknown": line([r for r in rows if r["channel"] == name]) for name in names}


def funnel_snapshot(rows: Rows, **_: Any) -> dict:
    n = Counter(r["kind"] for r in rows)
    paid = sum(1 for r in rows if r["kind"] == "visit" and kop(r["amount"]) > 0)
    return {
        "leads": n["lead"], "bookings": n["booking"], "arrivals": n["visit"], "paid": paid,
        "second_visits": n["second"], "referred_new_patients": n["referred"],
        "bookings_per_lead": ratio(n["booking"], n["lead"]),
        "arrivals_per_booking": ratio(n["visit"], n["booking"]), "paid_per_arrival": ratio(paid, n["visit"]),
    }  # fmt: skip


def product_funnel(rows: Rows, **_: Any) -> dict:
    n = Counter(r["kind"] for r in rows)
    pairs = {f"{a}>{b}": [r for r in rows if r["kind"] == f"{a}>{b}" and r["mature"]] for a, b in PAIRS}
    return {
        "patients": n["patient"],
        "reach": {kind: count for kind, count in n.items() if kind != "patient" and ">" not in kind},
        "pairs": {name: ratio(sum(r["success"] for r in ours), len(ours)) for name, ours in pairs.items()},
    }


def utilisation(rows: Rows, doctors: list[str], **_: Any) -> dict:
    def spans(code: str, *kinds: str) -> list[tuple[datetime, datetime]]:
        ours = [r for r in rows if r["doctor"] == code and r["kind"] in kinds]
        return union([(datetime.fromisoformat(r["begins"]), datetime.fromisoformat(r["ends"])) for r in ours])

    result = {}
    for code in doctors:
        shifts = spans(code, "shift")
        total = seconds(shifts)
        result[code] = {
            "shift_seconds": total,
            "worked": ratio(seconds(common(spans(code, "completed"), shifts)), total),
            "sold": ratio(seconds(common(spans(code, "completed", "no_show"), shifts)), total),
        }
    return result
