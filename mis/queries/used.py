"""Who else points at an object: what stands in the way of taking it back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Model

from staff.actions.intake import store

# Parts of the object itself, or worked out from it: they go with it.
PARTS = frozenset(
    {
        "patients.PatientPhone",
        "patients.PatientTag",
        "patients.DuplicatePair",
        "loyalty.PatientValue",
    }
)
# Written by the sweep, unless a person wrote them: those have no dedupe_key.
SWEPT = frozenset({"patients.Touchpoint", "patients.WorkItem"})
NEVER_SENT = ("queued", "skipped", "refused", "expired")  # states of messages that reached nobody


def used_by_others(model: type[Model], ids: Iterable[int]) -> dict[int, set[str]]:
    """id -> kinds of rows that point at it: one query a relation, whatever the number of ids."""
    wanted = list(ids)
    found: dict[int, set[str]] = defaultdict(set)
    for relation in model._meta.related_objects:
        other = relation.related_model
        label = other._meta.label
        if label in PARTS or not relation.field.concrete:
            continue
        name = relation.field.attname
        rows = other._base_manager.filter(**{f"{name}__in": store.among(wanted, "bigint")})
        if label in SWEPT:
            rows = rows.filter(dedupe_key=None)
        elif label == "messaging.Message":
            rows = rows.exclude(state__in=NEVER_SENT)
        for pk in rows.order_by().values_list(name, flat=True).distinct():
            found[pk].add(str(other._meta.verbose_name))
    return found
