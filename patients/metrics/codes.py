"""Codes of results: the external id of a doctor, channel, service or branch (R125)."""

from __future__ import annotations

from collections import Counter

from django.db.models import Model

from patients.models import Channel, Service
from staff.models import Branch, Doctor

CODED: dict[str, type[Model]] = {"doctor": Doctor, "channel": Channel, "service": Service, "branch": Branch}


def codes_of(what: str) -> dict[int, str]:
    """{id: code} of all of one kind. An external id that two sources share becomes `source:code`: rows never melt."""
    rows = list(CODED[what]._default_manager.values_list("id", "external_id", "source__code"))
    times = Counter(code for _id, code, _source in rows)
    return {pk: code if times[code] == 1 else f"{source}:{code}" for pk, code, source in rows}


def ids_of(what: str, code: str) -> tuple[int, ...]:
    """Ids that a filter names by `code` or `source:code`; empty when there is none.

    A bare code that two sources share names both.
    """
    rows = CODED[what]._default_manager.values_list("id", "external_id", "source__code")
    return tuple(pk for pk, own, source in rows if code in (own, f"{source}:{own}"))
