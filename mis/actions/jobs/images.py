"""Columns of objects as they stand, for "before" and "after" of an import."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from mis.actions.intake import RESOURCES
from patients.models import PatientPhone, PatientTag
from staff.actions.intake import store
from staff.models import Source

Image = dict[str, Any]
# Worked out from other columns or by the sweep: they may differ without anybody having changed anything.
DERIVED = {
    "patients": frozenset({"search", "canonical_id"}),
    "visits": frozenset({"amount", "cost", "followed_up_at"}),
}
OWN = frozenset({"id", "source_id", "external_id"})


def images_by_external(resource: str, source: Source, codes: Iterable[str]) -> dict[int, Image]:
    objects = RESOURCES[resource].model._default_manager.filter(source=source, external_id__in=store.among(set(codes)))
    return _images(resource, objects)


def images_by_id(resource: str, ids: Iterable[int], lock: bool = False) -> dict[int, Image]:
    objects = RESOURCES[resource].model._default_manager.filter(pk__in=store.among(set(ids), "bigint"))
    return _images(resource, objects.select_for_update().order_by("pk") if lock else objects)


def _images(resource: str, objects: Any) -> dict[int, Image]:
    """id -> columns as JSON values. A patient's phones and tags are part of his image."""
    columns = RESOURCES[resource].columns
    found = {row[0]: _plain(dict(zip(columns, row, strict=True))) for row in objects.values_list(*columns)}
    if resource == "patients" and found:
        _add_phones(found)
    return found


def _plain(values: Image) -> Image:
    return json.loads(json.dumps(values, cls=DjangoJSONEncoder))  # type: ignore[no-any-return]


def _add_phones(images: dict[int, Image]) -> None:
    phones, tags = defaultdict(list), defaultdict(list)
    ids = store.among(images, "bigint")
    for owner, number, raw in PatientPhone.objects.filter(patient_id__in=ids).values_list(
        "patient_id", "number", "raw"
    ):
        phones[owner].append([number, raw])
    for owner, name in PatientTag.objects.filter(patient_id__in=ids).order_by("name").values_list("patient_id", "name"):
        tags[owner].append(name)
    for pk, image in images.items():
        image["phones"], image["tags"] = phones[pk], tags[pk]


def changed_fields(resource: str, before: Image, after: Image) -> list[str]:
    """Fields that differ, without derived ones."""
    derived = DERIVED.get(resource, frozenset())
    return [name for name in after if name not in derived and before.get(name) != after[name]]
