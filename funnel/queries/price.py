"""The public price list, of the one price list that visits and offers use (R46)."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache

from patients.models import Service

KEY, SECONDS = "funnel:price-list", 300


def price_list() -> list[dict[str, Any]]:
    """{id, name, speciality, price, minutes} of what is sold, by speciality; at most five minutes old.

    Neither cost nor step of the ladder is in it, so no page can show them.
    """
    found: list[dict[str, Any]] | None = cache.get(KEY)
    if found is None:
        rows = Service.objects.filter(is_active=True).order_by("speciality", "name", "id")
        found = [{**row} for row in rows.values("id", "name", "speciality", "price", "minutes")]
        cache.set(KEY, found, SECONDS)
    return found


def wanted(rows: list[dict[str, Any]], words: str) -> list[dict[str, Any]]:
    """Those whose name or speciality holds the words, in whatever case (SQLite knows no Cyrillic case)."""
    part = words.casefold().strip()
    return [row for row in rows if part in row["name"].casefold() or part in row["speciality"].casefold()]
