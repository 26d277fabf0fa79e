"""The registry: every metric once, in the order of its code. Dashboard, API, export and "How we count" read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from analytics.metrics import acquisition, flow, staying, worth
from analytics.metrics.kinds import Metric
from analytics.metrics.params import Args, BadParams, NotAllowed, NotYours, args_of, parsed, scope_of
from patients.metrics import Scope
from staff.access import Actor

__all__ = ["REGISTRY", "Args", "BadParams", "Metric", "NotAllowed", "NotYours", "compute", "question"]

REGISTRY: Mapping[str, Metric] = MappingProxyType(
    {
        metric.slug: metric
        for metric in sorted(
            (*flow.METRICS, *worth.METRICS, *staying.METRICS, *acquisition.METRICS), key=lambda m: m.code
        )
    }
)


def question(
    slug: str, params: Mapping[str, str], now: datetime, by: Actor | None = None
) -> tuple[Metric, Scope, Args, dict[str, Any]]:
    """Metric, scope, arguments and values of a request. Raises KeyError (slug), BadParams, NotYours, NotAllowed."""
    metric = REGISTRY[slug]
    values = parsed(metric.params, params, metric.optional)
    return metric, scope_of(values, now, by), args_of(values, by), values


def compute(slug: str, params: Mapping[str, object], now: datetime, by: Actor | None = None) -> Any:
    """The result of one metric, keys as in metrics.md. `params` are texts (numbers and dates are made into texts)."""
    metric, scope, args, _values = question(slug, {name: str(value) for name, value in params.items()}, now, by)
    return metric.compute(scope, args)
