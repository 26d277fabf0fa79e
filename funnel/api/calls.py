"""The API door of calls: history and other systems' records. What telephony says live comes by the signed hooks."""

from __future__ import annotations

from funnel.actions.call_rows import CALLS, record_calls
from funnel.models import Call
from funnel.queries.calls import visible_calls
from staff.api.doors import Column, Door, reference
from staff.api.filters import ChoiceFilter, DoorFilters, IdFilter, InstantFilter


class CallFilters(DoorFilters):
    patient = IdFilter(field_name="patient_id")
    lead = IdFilter(field_name="lead_id")
    direction = ChoiceFilter(choices=Call.Direction.choices)
    outcome = ChoiceFilter(choices=Call.Outcome.choices)
    started_at__gte = InstantFilter(field_name="started_at", lookup_expr="gte")
    started_at__lt = InstantFilter(field_name="started_at", lookup_expr="lt")


CALL_DOOR = Door(
    name="calls",
    one="call",
    resource=CALLS,
    record=record_calls,
    scope=visible_calls,
    personal=True,
    columns=(
        Column("direction"),
        Column("outcome"),
        Column("from", path="from_number", deed="see_contacts"),
        Column("to", path="to_number", deed="see_contacts"),
        Column("called", path="called_number"),
        Column("extension"),
        *reference("branch"),
        *reference("patient"),
        *reference("lead"),
        Column("started_at", "instant"),
        Column("answered_at", "instant", null=True),
        Column("ended_at", "instant", null=True),
        Column("talk_seconds", "integer", null=True),
        Column("recording", deed="hear_calls"),
        Column("called_back_at", "instant", null=True),
        Column("explained_reason"),
    ),
    filters=CallFilters,
)
