"""Acquisition and conversion: M09, M19 to M23, M27, M31, M32."""

from funnel.metrics.cost import (
    SPENT,
    cac,
    cac_facts,
    cac_row,
    cost_per,
    cost_per_facts,
    rows_by_code,
    spend_facts,
    spend_values,
)
from funnel.metrics.ladder import LADDER_DAYS, PAIRS, product_funnel, product_funnel_facts
from funnel.metrics.leads import UNKNOWN, losses, losses_facts, response_sla, response_sla_facts
from funnel.metrics.load import utilisation, utilisation_facts
from funnel.metrics.stages import (
    AUDIENCES,
    BANDS,
    STAGES,
    funnel_cohort,
    funnel_cohort_facts,
    funnel_snapshot,
    funnel_snapshot_facts,
    response_bands,
    response_bands_facts,
)

__all__ = [
    "AUDIENCES",
    "BANDS",
    "LADDER_DAYS",
    "PAIRS",
    "SPENT",
    "STAGES",
    "UNKNOWN",
    "cac",
    "cac_facts",
    "cac_row",
    "cost_per",
    "cost_per_facts",
    "funnel_cohort",
    "funnel_cohort_facts",
    "funnel_snapshot",
    "funnel_snapshot_facts",
    "losses",
    "losses_facts",
    "product_funnel",
    "product_funnel_facts",
    "response_bands",
    "response_bands_facts",
    "response_sla",
    "response_sla_facts",
    "rows_by_code",
    "spend_facts",
    "spend_values",
    "utilisation",
    "utilisation_facts",
]
