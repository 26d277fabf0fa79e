"""The figures of a page through the kept answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from analytics import actions
from analytics.queries.kept import sight_of
from analytics.queries.lens import Lens


def figures(page: str, lens: Lens, make: Callable[[], Any], **more: str) -> dict[str, Any]:
    """`make` gives a dataclass; what comes back is its JSON, the same whether kept or made now."""

    def made() -> dict[str, Any]:
        return {**asdict(make())}

    return actions.page_figures(sight=sight_of(page, lens, **more), make=made, now=timezone.now())
