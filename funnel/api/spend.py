"""The API door of acquisition spend."""

from __future__ import annotations

from funnel.actions import SPEND, record_spend
from funnel.models import Spend
from staff.api.doors import Column, Door, reference
from staff.api.filters import ChoiceFilter, DayFilter, DoorFilters, IdFilter


class SpendFilters(DoorFilters):
    channel = IdFilter(field_name="channel_id")
    purpose = ChoiceFilter(choices=Spend.Purpose.choices)
    date__gte = DayFilter(field_name="date", lookup_expr="gte")
    date__lte = DayFilter(field_name="date", lookup_expr="lte")


SPEND_DOOR = Door(
    name="spend",
    one="spend line",
    resource=SPEND,
    record=record_spend,
    scope=lambda by: Spend.objects.all(),
    columns=(
        *reference("channel"),
        Column("campaign_id", path="campaign_code"),
        Column("date", "date"),
        Column("amount", "money", deed="see_money"),
        Column("purpose"),
    ),
    filters=SpendFilters,
    write="write_spend",
)
