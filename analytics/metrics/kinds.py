"""What a metric is: its words, its parameters, its figure and the rows behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from analytics.metrics.params import OWN, Args, Param
from patients.metrics import Facts, Scope

Text = str | Promise


@dataclass(frozen=True)
class Metric:
    """One metric, defined once. Pages, API, export and "How we count" all read this.

    `params`: its own parameters that must be given (all take as_of, branch, doctor, channel), `optional`: those that may
    be. `version` grows with every change of the
    definition. `columns`: of `facts`, in words of `analytics.metrics.columns`.
    """

    code: str
    slug: str
    name: Text
    question: Text
    formula: Text
    unit: Text
    population: Text
    window: Text
    params: tuple[str, ...]
    compute: Callable[[Scope, Args], Any]
    facts: Callable[[Scope, Args], Facts]
    columns: tuple[str, ...]
    example: Text = ""
    version: int = 1
    optional: tuple[Param, ...] = ()

    @property
    def own(self) -> dict[str, Param]:
        """All its own parameters by name."""
        return {name: OWN[name] for name in self.params} | {param.name: param for param in self.optional}
