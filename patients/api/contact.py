from __future__ import annotations

from patients.actions.contact import CONSENTS, TOUCHPOINTS, record_consents, record_touchpoints
from patients.models import Consent, Touchpoint
from patients.models.contact import Purpose
from patients.models.person import Transport
from staff.api.doors import Column, Door, reference
from staff.api.filters import ChoiceFilter, DoorFilters, IdFilter, InstantFilter, TextFilter, TruthFilter


class ConsentFilters(DoorFilters):
    patient = IdFilter(field_name="patient_id")
    purpose = ChoiceFilter(choices=Purpose.choices)
    transport = ChoiceFilter(choices=Transport.choices)
    given = TruthFilter()
    at__gte = InstantFilter(field_name="at", lookup_expr="gte")
    at__lt = InstantFilter(field_name="at", lookup_expr="lt")


class TouchpointFilters(DoorFilters):
    patient = IdFilter(field_name="patient_id")
    visit = IdFilter(field_name="visit_id")
    kind = TextFilter()
    purpose = ChoiceFilter(choices=Purpose.choices)
    at__gte = InstantFilter(field_name="at", lookup_expr="gte")
    at__lt = InstantFilter(field_name="at", lookup_expr="lt")


CONSENT_DOOR = Door(
    name="consents",
    one="consent",
    resource=CONSENTS,
    record=record_consents,
    scope=CONSENTS.scope or (lambda by: Consent.objects.none()),
    columns=(
        *reference("patient"),
        Column("purpose"),
        Column("transport"),
        Column("given", "bool"),
        Column("at", "instant"),
        Column("how"),
        Column("text_version"),
        Column("text_hash"),
        Column("evidence"),
        Column("actor"),
    ),
    filters=ConsentFilters,
)
TOUCHPOINT_DOOR = Door(
    name="touchpoints",
    one="touchpoint",
    resource=TOUCHPOINTS,
    record=record_touchpoints,
    scope=TOUCHPOINTS.scope or (lambda by: Touchpoint.objects.none()),
    columns=(
        *reference("patient"),
        *reference("visit"),
        Column("at", "instant"),
        Column("kind"),
        Column("direction"),
        Column("transport"),
        Column("purpose"),
        Column("outcome"),
        Column("note", deed="see_contacts"),
    ),
    filters=TouchpointFilters,
)
