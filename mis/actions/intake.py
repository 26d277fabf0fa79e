"""The `record_*` action of every resource that comes in by file or folder: the one way in (architecture.md)."""

from __future__ import annotations

from collections.abc import Callable

import funnel.actions as funnel
from funnel.actions import intake as leads
from patients import actions as patients
from patients.actions import allocations, contact, money, people, price, visits
from staff import actions as staff
from staff.actions.intake import NOT_KNOWN, Nested, Resource, RowResult, code_of, ground

Recorder = Callable[..., list[RowResult]]

RECORD: dict[str, Recorder] = {
    "branches": staff.record_branches,
    "channels": patients.record_channels,
    "doctors": staff.record_doctors,
    "services": patients.record_services,
    "patients": patients.record_patients,
    "shifts": staff.record_shifts,
    "leads": leads.record_leads,
    "visits": leads.record_visits,
    "items": patients.record_items,
    "payments": patients.record_payments,
    "allocations": patients.record_allocations,
    "spend": funnel.record_spend,
    "consents": patients.record_consents,
    "touchpoints": patients.record_touchpoints,
}
RESOURCES: dict[str, Resource] = {
    "branches": ground.BRANCHES,
    "channels": price.CHANNELS,
    "doctors": ground.DOCTORS,
    "services": price.SERVICES,
    "patients": people.PATIENTS,
    "shifts": ground.SHIFTS,
    "leads": leads.LEADS,
    "visits": leads.VISITS_OF_LEADS,
    "items": visits.ITEMS,
    "payments": money.PAYMENTS,
    "allocations": allocations.ALLOCATIONS,
    "spend": funnel.SPEND,
    "consents": contact.CONSENTS,
    "touchpoints": contact.TOUCHPOINTS,
}


def known_fields() -> dict[str, frozenset[str]]:
    """Resource -> fields that a row of it may have, its own key `external_id` among them."""
    return {name: frozenset({"external_id", *resource.by_name}) for name, resource in RESOURCES.items()}


def references(resource: str) -> frozenset[str]:
    """Fields of the resource that name other objects."""
    nested = frozenset(key.name for key in RESOURCES[resource].keys if isinstance(key, Nested))
    names = {name for ref in RESOURCES[resource].refs for name in (ref.name, ref.inner, *ref.aliases)}
    return frozenset(names) | nested


def only_waits(result: RowResult, names: frozenset[str]) -> bool:
    """Whether nothing is wrong with the row but that it names objects which are not known yet."""
    return bool(result.errors) and all(
        name in names and all(code_of(reason) == NOT_KNOWN for reason in reasons)
        for name, reasons in result.errors.items()
    )
