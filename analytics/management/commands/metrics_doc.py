"""Writes docs/metrics.md from the registry: paper and product cannot disagree (a test compares them)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import override

from analytics.metrics import REGISTRY, Metric
from analytics.metrics.params import Param

HEAD = """# How we count

Generated from the registry by `manage.py metrics_doc > docs/metrics.md`; the product shows the same under "How we count".
Every metric takes `as_of`, `branch`, `doctor` and `channel`; its rows are at `/api/v1/metrics/{slug}/rows/`.
"""


def section(metric: Metric) -> str:
    """One metric as Markdown."""
    facts = [
        ("Question", metric.question),
        ("Formula", metric.formula),
        ("Unit", metric.unit),
        ("Population", metric.population),
        ("Window", metric.window),
        ("Example", metric.example),
        ("Own parameters", ", ".join(f"`{name}`" for name in metric.params)),
        ("Optional parameters", ", ".join(optional(param) for param in metric.optional)),
        ("Columns of its rows", ", ".join(f"`{name}`" for name in metric.columns)),
        ("Definition version", metric.version),
    ]
    lines = [f"- **{name}.** {text}" for name, text in facts if str(text)]
    return "\n".join([f"## {metric.code} {metric.name} (`{metric.slug}`)", "", *lines, ""])


def optional(param: Param) -> str:
    return f"`{param.name}`" if param.default is None else f"`{param.name}` (`{param.default}` if absent)"


class Command(BaseCommand):
    help = "Print docs/metrics.md."

    def handle(self, *args: Any, **options: Any) -> None:
        with override("en"):
            self.stdout.write("\n".join([HEAD, *(section(metric) for metric in REGISTRY.values())]), ending="")
