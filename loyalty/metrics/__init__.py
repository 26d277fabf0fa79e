"""Lifetime value, churn, repeat visits, recall: M03 to M08, M14 to M16, M28 to M30, M34."""

from loyalty.metrics.churn import (
    churn_counts,
    churn_facts,
    churn_result,
    lost_patients,
    lost_patients_facts,
    year_of,
)
from loyalty.metrics.groups import GROUPINGS
from loyalty.metrics.life import lifespan, lifespan_facts, own_doctor, own_doctor_facts
from loyalty.metrics.ltv import (
    MONTHS,
    ltv_by,
    ltv_by_facts,
    ltv_formula,
    ltv_formula_facts,
    ltv_historical,
    ltv_historical_facts,
    ltv_horizon,
    ltv_horizon_facts,
)
from loyalty.metrics.recall import (
    cadence,
    cadence_facts,
    overdue,
    overdue_facts,
    recommendation_compliance,
    recommendation_compliance_facts,
    rfm,
    rfm_facts,
)
from loyalty.metrics.repeat import repeat_rate, repeat_rate_facts
from loyalty.metrics.value import patient_value, patient_value_facts

__all__ = [
    "GROUPINGS",
    "MONTHS",
    "cadence",
    "cadence_facts",
    "churn_counts",
    "churn_facts",
    "churn_result",
    "lifespan",
    "lifespan_facts",
    "lost_patients",
    "lost_patients_facts",
    "ltv_by",
    "ltv_by_facts",
    "ltv_formula",
    "ltv_formula_facts",
    "ltv_historical",
    "ltv_historical_facts",
    "ltv_horizon",
    "ltv_horizon_facts",
    "overdue",
    "overdue_facts",
    "own_doctor",
    "own_doctor_facts",
    "patient_value",
    "patient_value_facts",
    "recommendation_compliance",
    "recommendation_compliance_facts",
    "repeat_rate",
    "repeat_rate_facts",
    "rfm",
    "rfm_facts",
    "year_of",
]
