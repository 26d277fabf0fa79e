"""Addresses of the rows behind a figure: the figure's own parameters, nothing else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from analytics.queries.lens import Lens
from patients.metrics import Period


def rows_url(slug: str, lens: Lens, period: Period | None = None, **params: Any) -> str:
    """`params`: parameters of the metric (year, days, by, months) and columns that must have a value."""
    query = dict(lens.params)
    if period is not None:
        query |= {"from": period.first.isoformat(), "to": period.last.isoformat()}
    query |= {name: str(value) for name, value in params.items()}
    return f"{reverse('analytics:rows', args=[slug])}?{urlencode(query)}"
