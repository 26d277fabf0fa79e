"""Work items of leads: whom no patient names, the lead does."""

from __future__ import annotations

from collections.abc import Iterable

from funnel.queries.leads import lead_of_item
from patients.models import WorkItem


def show_leads(items: Iterable[WorkItem]) -> None:
    """Puts `lead_id` on each; None where the item is of no lead. No query."""
    for item in items:
        item.lead_id = lead_of_item(item.dedupe_key)  # type: ignore[attr-defined]
