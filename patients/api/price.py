from __future__ import annotations

from patients.actions.price import CHANNELS, SERVICES, record_channels, record_services
from patients.models import Channel, Service
from patients.models.price import Tier
from staff.api.doors import Column, Door, reference
from staff.api.filters import ChoiceFilter, DoorFilters, IdFilter, TextFilter, TruthFilter


class ServiceFilters(DoorFilters):
    tier = ChoiceFilter(choices=Tier.choices)
    speciality = TextFilter()
    is_active = TruthFilter()


class ChannelFilters(DoorFilters):
    kind = ChoiceFilter(choices=Channel.Kind.choices)
    parent = IdFilter(field_name="parent_id")


SERVICE_DOOR = Door(
    name="services",
    one="service",
    resource=SERVICES,
    record=record_services,
    scope=lambda by: Service.objects.all(),
    columns=(
        Column("name"),
        Column("tier"),
        Column("speciality"),
        Column("price", "money", deed="see_money"),
        Column("cost", "money", deed="see_money"),
        Column("minutes", "integer"),
        Column("recall_days", "integer", null=True),
        Column("is_active", "bool"),
    ),
    filters=ServiceFilters,
)
CHANNEL_DOOR = Door(
    name="channels",
    one="channel",
    resource=CHANNELS,
    record=record_channels,
    scope=lambda by: Channel.objects.all(),
    columns=(Column("name"), Column("kind"), *reference("parent")),
    filters=ChannelFilters,
)
