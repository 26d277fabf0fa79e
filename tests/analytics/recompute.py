"""Every figure once more, in Python, from its REST rows alone (and from as_of, θ and the parameters of the answer)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

from tests.oracle.exact import mean_rubles, quotient, ratio, rubles, share
from tests.oracle.loyalty import ratio_of_means, stratified, survival_area

Rows = list[dict[str, Any]]


def kop(text: str | None) -> int:
    return int(Fraction(text or 0) * 100)


def day(text: str) -> date:
    return date.fromisoformat(text)


def average_check(rows: Rows, **_: Any) -> dict:
    visits = [kop(r["amount"]) for r in rows if r["kind"] == "visit"]
    paid = [net for net in visits if net > 0]
    return {
        "completed_visits": len(visits), "paid_visits": len(paid), "paid_sum": rubles(sum(paid)),
        "average_check": mean_rubles(sum(paid), len(paid)), "net_sum": rubles(sum(visits)),
        "revenue_per_completed_visit": mean_rubles(sum(visits), len(visits)),
        "cash_flow": rubles(sum(kop(r["amount"]) for r in rows if r["kind"] == "payment")),
    }  # fmt: skip


def visit_frequency(rows: Rows, **_: Any) -> dict:
    return {"visits_per_active_patient": ratio(len(rows), len({r["patient_id"] for r in rows}))}


def revenue_by_service(rows: Rows, **_: Any) -> dict:
    def line(items: Rows) -> dict:
        amount, cost = sum(kop(r["amount"]) for r in items), sum(kop(r["cost"]) for r in items)
        return {"quantity": len(items), "amount": rubles(amount), "cost": rubles(cost), "margin": rubles(amount - cost)}

    return {
        **{key: line([r for r in rows if r["service"] == key]) for key in sorted({r["service"] for r in rows})},
        "total": line(rows),
        "tiers": {t: line([r for r in rows if r["tier"] == t]) for t in sorted({r["tier"] for r in rows})},
    }


def no_show(rows: Rows, **_: Any) -> dict:
    n = Counter(r["status"] for r in rows)
    due = n["completed"] + n["no_show"]
    decided = due + n["cancelled_patient"] + n["cancelled_clinic"]
    return {
        "no_show": ratio(n["no_show"], due), "cancelled_by_patient": ratio(n["cancelled_patient"], decided),
        "cancelled_by_clinic": ratio(n["cancelled_clinic"], decided), "unresolved": n["scheduled"],
    }  # fmt: skip


def rebooking(rows: Rows, **_: Any) -> dict:
    return {
        "rebooked_at_visit": ratio(sum(r["rebooked"] for r in rows), len(rows)),
        "covered_by_future_booking": ratio(sum(r["covered"] for r in rows), len(rows)),
    }


def cac(rows: Rows, **_: Any) -> dict:
    def line(wanted: Callable[[dict], bool]) -> dict:
        spend = sum(kop(r["amount"]) for r in rows if r["kind"] == "spend" and wanted(r))
        new = sum(1 for r in rows if r["kind"] == "patient" and wanted(r))
        return {"spend": rubles(spend), "new_patients": new, "cac": mean_rubles(spend, new)}

    kinds = {r["channel"]: r["channel_kind"] for r in rows if r["kind"] == "channel"}
    channels = {key: line(lambda r, key=key: r["channel"] == key) for key in kinds}
    unknown = line(lambda r: r["channel"] is None)
    if unknown["new_patients"] or unknown["spend"] != "0.00":
        channels["unknown"] = unknown
    return {
        "channels": channels,
        "blended": line(lambda r: True), "paid": line(lambda r: kinds.get(r["channel"]) == "paid"),
    }  # fmt: skip


def lifespan(rows: Rows, theta: int, **_: Any) -> dict:
    spans = [(day(r["dl"]) - day(r["d0"])).days for r in rows]
    repeat = [s for s, r in zip(spans, rows, strict=True) if r["visit_days"] > 1]
    events = [r["time"] for r in rows if r["event"]]
    censored = [r["time"] for r in rows if not r["event"]]
    limit = min(1826 + theta, max(events + censored, default=0))
    value = reach = None
    if events and limit > theta:
        value = float((survival_area(events, censored, limit) - theta) * 16 / 487)
        reach = float(Fraction((limit - theta) * 16, 487))
    return {
        "patients": len(rows), "one_day_patients": len(rows) - len(repeat),
        "mean_all_months": ratio(16 * sum(spans), 487 * len(rows)),
        "mean_repeat_months": ratio(16 * sum(repeat), 487 * len(repeat)),
        "km_months_restricted_60_f": value, "horizon_months_f": reach,
    }  # fmt: skip


def ltv_historical(rows: Rows, **_: Any) -> dict:
    ours = [r for r in rows if r["kind"] == "patient"]
    outside = sum(kop(r["revenue"]) for r in rows if r["kind"] == "outsider")
    revenue = sum(kop(r["revenue"]) for r in ours)
    margin = revenue - sum(kop(r["cost"]) for r in ours)
    return {
        "patients": len(ours), "revenue": rubles(revenue), "margin": rubles(margin),
        "ltv_revenue": mean_rubles(revenue, len(ours)), "ltv_margin": mean_rubles(margin, len(ours)),
        "money_outside_acquired": rubles(outside),
    }  # fmt: skip


def ltv_formula(rows: Rows, **_: Any) -> dict:
    n, visits = len(rows), sum(r["paid_visits"] for r in rows)
    revenue, cost = sum(kop(r["paid_sum"]) for r in rows), sum(kop(r["cost"]) for r in rows)
    lengths = sum(max(487, 16 * (day(r["dl"]) - day(r["d0"])).days) for r in rows)
    return {
        "patients": n, "paid_visits": visits, "average_check": mean_rubles(revenue, visits),
        "lifespan_months": ratio(lengths, 487 * n), "sales_per_year": ratio(12 * 487 * visits, lengths),
        "profit_share": ratio(revenue - cost, revenue), "simple": mean_rubles(revenue, n),
        "full": mean_rubles(revenue - cost, n),
    }  # fmt: skip


def ltv_horizon(rows: Rows, months: int, **_: Any) -> dict:
    observed = {r["patient_id"]: r["observed"] for r in rows}

    def side(measure: str) -> dict:
        total = sum(kop(r[measure]) for r in rows if r["observed"] >= months)
        mature = sum(1 for whole in observed.values() if whole >= months)
        means = []
        for k in range(months):
            seen = sum(1 for whole in observed.values() if whole > k)
            money = sum(kop(r[measure]) for r in rows if r["month"] == k and r["observed"] > k)
            means.append(quotient(money, seen))
        return {
            "mature_patients": mature, "mature_sum": rubles(total), "ltv_mature": mean_rubles(total, mature),
            "ltv_chained": None if None in means else rubles(sum(means)),
        }  # fmt: skip

    return {"revenue": side("revenue"), "margin": side("margin")}


def ltv_by(rows: Rows, **_: Any) -> dict:
    result = {}
    for key in sorted({r["grp"] for r in rows}):
        ours = [r for r in rows if r["grp"] == key]
        revenue, cost = sum(kop(r["revenue"]) for r in ours), sum(kop(r["cost"]) for r in ours)
        result[key] = {
            "patients": len(ours), "revenue": rubles(revenue), "ltv_revenue": mean_rubles(revenue, len(ours)),
            "ltv_margin": mean_rubles(revenue - cost, len(ours)),
        }  # fmt: skip
    return result


def own_doctor(rows: Rows, **_: Any) -> dict:
    def total(chosen: Rows, measure: str = "revenue") -> tuple[int, int]:
        return sum(kop(r[measure]) for r in chosen), len(chosen)

    own, other = total([r for r in rows if r["own"]]), total([r for r in rows if not r["own"]])
    once = total([r for r in rows if r["visit_days"] == 1])
    early = [r for r in rows if r["landmark"]]
    ours, theirs = ([r for r in early if r["landmark_own"] == flag] for flag in (True, False))
    left, right = total(ours, "outcome"), total(theirs, "outcome")
    strata = [[(r["stratum"], kop(r["outcome"])) for r in side] for side in (ours, theirs)]
    return {
        "naive": {
            "own": own[1], "other": other[1], "ltv_own": mean_rubles(*own), "ltv_other": mean_rubles(*other),
            "ratio": share(ratio_of_means(*own, *other)),
        },
        "landmark": {
            "own": left[1], "other": right[1], "mean_own": mean_rubles(*left), "mean_other": mean_rubles(*right),
            "ratio": share(ratio_of_means(*left, *right)), "stratified_ratio": share(stratified(*strata)),
        },
        "vs_one_time": {
            "own": own[1], "one_time": once[1], "mean_own": mean_rubles(*own), "mean_one_time": mean_rubles(*once),
            "ratio": share(ratio_of_means(*own, *once)),
        },
    }  # fmt: skip


def patient_value(rows: Rows, as_of: date, theta: int, **_: Any) -> dict | None:
    if not rows:
        return None
    (r,) = rows
    result = {name: r[name] for name in ("visits", "visit_days", "paid_visits", "revenue", "cost")} | {
        "margin": rubles(kop(r["revenue"]) - kop(r["cost"])),
        "average_check": mean_rubles(kop(r["paid_sum"]), r["paid_visits"]),
        "d0": r["d0"], "dl": r["dl"], "first_doctor": r["first_doctor"], "lifespan_months": None, "state": None,
    }  # fmt: skip
    if r["d0"]:
        result["lifespan_months"] = ratio(16 * (day(r["dl"]) - day(r["d0"])).days, 487)
        result["state"] = "active" if (as_of - day(r["dl"])).days <= theta else "lost"
    return result


def lost_patients(rows: Rows, **_: Any) -> dict:
    lost = {r["patient_id"] for r in rows}
    return {"lost": len(lost), "losses": len(rows), "returned_later": sum(1 for r in rows if r["returned"])}


def churn_year(rows: Rows, **_: Any) -> dict:
    people = [r for r in rows if r["kind"] == "patient"]
    spend = sum(kop(r["amount"]) for r in rows if r["kind"] == "spend")
    n = {
        name: sum(r[name] for r in people)
        for name in ("active_at_start", "reactivated", "is_new", "lost", "active_at_end")
    }
    base = sum(1 for r in people if r["active_at_start"] or r["is_new"] or r["reactivated"])
    kinds = Counter(r["loss_kind"] for r in people)
    of_active = sum(1 for r in people if r["lost"] and r["active_at_start"])
    lost, new, cac_ = n["lost"], n["is_new"], quotient(spend, n["is_new"])
    above = 100 * lost - 3 * base
    status = "no_data" if not base else "ok" if lost <= new else "warning" if above <= 100 * new else "trouble"
    return {
        "active_at_start": n["active_at_start"], "new": new, "reactivated": n["reactivated"], "base": base,
        "lost": lost,
        "lost_natural": kinds["natural"], "lost_recovered": kinds["recovered"], "lost_avoidable": kinds["avoidable"],
        "churn": ratio(lost, base), "churn_of_active": ratio(of_active, n["active_at_start"]),
        "inflow": ratio(new, base),
        "avoidable_churn": ratio(kinds["avoidable"], base), "churn_after_allowance": ratio(max(0, above), 100 * base),
        "status": status, "active_at_end": n["active_at_end"], "cac_blended": rubles(cac_),
        "replacement_cost": None if cac_ is None else rubles(lost * cac_),
        "replacement_cost_avoidable": None if cac_ is None else rubles(kinds["avoidable"] * cac_),
    }  # fmt: skip


def repeat_rate(rows: Rows, **_: Any) -> dict:
    def side(kind: str) -> dict:
        ours = [r for r in rows if r["kind"] == kind]
        mature = [r for r in ours if r["mature"]]
        return ratio(sum(r["success"] for r in mature), len(mature)) | {"immature": len(ours) - len(mature)}

    return {"primary": side("primary"), "existing": side("existing")}


def rfm(rows: Rows, **_: Any) -> dict:
    return {
        "patients": len(rows),
        "cells": dict(sorted(Counter(str(r["cell"]) for r in rows).items())),
        "segments": dict(sorted(Counter(r["segment"] for r in rows).items())),
    }


def overdue(rows: Rows, **_: Any) -> dict:
    return {"patients": len(rows), "buckets": dict(sorted(Counter(r["bucket"] for r in rows).items()))}


def cadence(rows: Rows, **_: Any) -> dict:
    return {"patients_with_cadence": len(rows), "buckets": dict(sorted(Counter(r["bucket"] for r in rows).items()))}


def recommendation_compliance(rows: Rows, as_of: date, **_: Any) -> dict:
    def by(r: dict, days: int) -> bool:
        return r["satisfied"] is not None and (day(r["satisfied"]) - day(r["due"])).days <= days

    def old(r: dict, days: int) -> bool:
        return (as_of - day(r["due"])).days >= days

    mature = [r for r in rows if old(r, 30)]
    missed = [r for r in rows if old(r, 120) and not by(r, 30)]
    return {
        "on_time": ratio(sum(by(r, 30) for r in mature), len(mature)),
        "returned_within_90_after_30_overdue": ratio(sum(by(r, 120) for r in missed), len(missed)),
    }


def check_keys(rows: Rows) -> None:
    """No row comes twice."""
    seen = defaultdict(int)
    for r in rows:
        seen[repr(sorted(r.items(), key=str))] += 1
    assert max(seen.values(), default=1) == 1
