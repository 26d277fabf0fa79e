"""Figures of whole pages that were worked out before: the same table and the same rule of truth as single answers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from analytics.models import MetricAnswer
from analytics.queries.lens import Lens

MADE = 2  # grows with every change of what the pages keep


@dataclass(frozen=True)
class Sight:
    """What a page's figures depend on beside the data. `name` is the slug under which they are kept."""

    name: str
    params: dict[str, Any]

    @property
    def key(self) -> str:
        text = json.dumps([MADE, self.params], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def sight_of(page: str, lens: Lens, **more: str) -> Sight:
    """The scope with its ids, both periods, and what else changes the figures."""
    params = {**asdict(lens.scope), "period": asdict(lens.period), "before": asdict(lens.before), **more}
    return Sight(f"page:{page}", json.loads(json.dumps(params, default=str)))


def kept_page(sight: Sight, version: str | None) -> MetricAnswer | None:
    """The kept figures if the data are still those from which they were made."""
    if version is None:
        return None
    return MetricAnswer.objects.filter(slug=sight.name, key=sight.key, version=version).first()


def numbered(found: dict[str, Any]) -> dict[int, Any]:
    """JSON makes texts of the keys; years and months are numbers."""
    return {int(key): value for key, value in found.items()}
