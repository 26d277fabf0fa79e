"""The paper "How we count" is what the registry says."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from django.core.management import call_command

from analytics.metrics import REGISTRY

PAPER = Path(__file__).resolve().parents[2] / "docs/metrics.md"


def test_the_paper_is_current():
    out = StringIO()
    call_command("metrics_doc", stdout=out)
    assert PAPER.read_text(encoding="utf-8") == out.getvalue()


def test_every_metric_says_what_it_asks_and_how():
    assert all(
        m.question and m.formula and m.unit and m.population and m.window and m.columns for m in REGISTRY.values()
    )
