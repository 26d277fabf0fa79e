"""The API door of leads."""

from __future__ import annotations

from funnel.actions.intake import LEADS, record_leads
from funnel.models import Stage
from funnel.queries.scope import visible_leads
from staff.api.doors import Column, Door, reference
from staff.api.filters import ChoiceFilter, DoorFilters, IdFilter, InstantFilter


class LeadFilters(DoorFilters):
    channel = IdFilter(field_name="channel_id")
    patient = IdFilter(field_name="patient_id")
    stage = ChoiceFilter(choices=Stage.choices)
    created_at__gte = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_at__lt = InstantFilter(field_name="created_at", lookup_expr="lt")


LEAD_DOOR = Door(
    name="leads",
    one="lead",
    resource=LEADS,
    record=record_leads,
    scope=visible_leads,
    personal=True,
    columns=(
        Column("created_at", "instant"),
        Column("kind"),
        *reference("channel"),
        *reference("branch"),
        *reference("patient"),
        Column("name", deed="see_contacts"),
        Column("phone", deed="see_contacts"),
        Column("email", deed="see_contacts"),
        Column("text", deed="see_medical"),
        Column("page"),
        Column("promo_code"),
        Column("is_spam", "bool"),
        Column("duplicate_of_lead", "id", "duplicate_of_id", null=True),
        Column("duplicate_of", "text", "duplicate_of__external_id", null=True),
        Column("first_response_at", "instant", null=True),
        Column("stage"),
        Column("stage_at", "instant", null=True),
        Column("lost_at", "instant", null=True),
        Column("loss_stage"),
        Column("loss_reason"),
    ),
    filters=LeadFilters,
)
