"""The API door of reach and clicks."""

from __future__ import annotations

from funnel.actions.traffic import TRAFFIC, record_traffic
from funnel.models import Traffic
from staff.api.doors import Column, Door, reference
from staff.api.filters import DayFilter, DoorFilters, IdFilter


class TrafficFilters(DoorFilters):
    channel = IdFilter(field_name="channel_id")
    date__gte = DayFilter(field_name="date", lookup_expr="gte")
    date__lte = DayFilter(field_name="date", lookup_expr="lte")


TRAFFIC_DOOR = Door(
    name="traffic",
    one="traffic line",
    resource=TRAFFIC,
    record=record_traffic,
    scope=lambda by: Traffic.objects.all(),
    columns=(*reference("channel"), Column("date", "date"), Column("reach", "integer"), Column("clicks", "integer")),
    filters=TrafficFilters,
    write="write_spend",
)
