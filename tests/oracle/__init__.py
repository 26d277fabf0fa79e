"""A second, deliberately naive computation of every metric (metrics.md sections 1 and 3), in plain Python.

    from tests.oracle import compute, load
    compute(load("tests/data/clinic90"), "cac", {"from": "2024-01-01", "to": "2024-12-31", "as_of": "2025-06-30"})

Slugs, parameters and result keys are those of expected.json. Any metric also takes `branch`, `doctor` and `channel`
(ids): the figure as if only those visits, or only those patients, existed.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from . import acquisition, campaigns, funnel, leads, loyalty, ltv, money, recall, retention, satisfaction, schedule
from .clinic import Clinic, from_rows, load, read_folder
from .filters import narrowed
from .world import World

__all__ = ["METRICS", "Clinic", "compute", "from_rows", "load", "read_folder"]

METRICS: dict[str, Callable[..., Any]] = {
    "average_check": money.average_check,
    "visit_frequency": money.visit_frequency,
    "lifespan": loyalty.lifespan,
    "ltv_historical": ltv.ltv_historical,
    "ltv_formula": ltv.ltv_formula,
    "ltv_horizon": ltv.ltv_horizon,
    "ltv_by": ltv.ltv_by,
    "own_doctor": loyalty.own_doctor,
    "cac": acquisition.cac,
    "ltv_cac": acquisition.ltv_cac,
    "payback": acquisition.payback,
    "romi": acquisition.romi,
    "retention_roi": campaigns.retention_roi,
    "churn_year": retention.churn_year,
    "repeat_rate": retention.repeat_rate,
    "no_show": schedule.no_show,
    "rebooking": schedule.rebooking,
    "response_sla": leads.response_sla,
    "funnel_cohort": funnel.funnel_cohort,
    "funnel_snapshot": funnel.funnel_snapshot,
    "losses": leads.losses,
    "product_funnel": funnel.product_funnel,
    "campaign": campaigns.campaign,
    "satisfaction": satisfaction.satisfaction,
    "doctor_scorecard": schedule.doctor_scorecard,
    "utilisation": schedule.utilisation,
    "rfm": recall.rfm,
    "overdue": recall.overdue,
    "recommendation_compliance": recall.recommendation_compliance,
    "cadence": recall.cadence,
    "response_bands": leads.response_bands,
    "cost_per": leads.cost_per,
    "revenue_by_service": money.revenue_by_service,
    "patient_value": money.patient_value,
}
NAMES = {"from": "start", "to": "end"}  # request names that Python or its readers would stumble on
FILTERS = ("branch", "doctor", "channel")


def compute(clinic: Clinic, metric: str, params: dict[str, Any]) -> Any:
    """The result of one request, as in expected.json. Dates may be ISO strings or date objects."""
    filters = {name: params.get(name) for name in FILTERS}
    world = World(narrowed(clinic, **filters), as_date(params["as_of"]))
    rest = {name: value for name, value in params.items() if name not in FILTERS and name != "as_of"}
    return METRICS[metric](world, **{NAMES.get(k, k): as_date(v) if k in NAMES else v for k, v in rest.items()})


def as_date(value: str | date) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
