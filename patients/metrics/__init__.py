"""Money and diary: M01, M02, M17, M18, M33; and `Scope`, on which the metrics of all rooms stand."""

from patients.metrics.base import Period, Scope
from patients.metrics.facts import Facts
from patients.metrics.money import (
    average_check,
    average_check_facts,
    revenue_by_service,
    revenue_by_service_facts,
    visit_frequency,
    visit_frequency_facts,
)
from patients.metrics.schedule import no_show, no_show_facts, rebooking, rebooking_facts

__all__ = [
    "Facts",
    "Period",
    "Scope",
    "average_check",
    "average_check_facts",
    "no_show",
    "no_show_facts",
    "rebooking",
    "rebooking_facts",
    "revenue_by_service",
    "revenue_by_service_facts",
    "visit_frequency",
    "visit_frequency_facts",
]
