"""The price list and the channels as other systems send them."""

from __future__ import annotations

from patients.models import Channel, Service
from patients.models.price import Tier
from staff.actions.intake import Field, Resource, plain
from staff.actions.intake.parsers import choice, money_from_zero, text, truth, whole

SERVICES = Resource(
    name="services",
    model=Service,
    keys=(
        Field("name", text(300), "name", required=True),
        Field("tier", choice(Tier.values), "tier"),
        Field("speciality", text(120), "speciality", aliases=("specialty",)),
        Field("price", money_from_zero, "price"),
        Field("cost", money_from_zero, "cost"),
        Field("recall_days", whole(1, 3650), "recall_days"),
        Field("minutes", whole(1, 1440), "minutes"),
        Field("is_active", truth, "is_active"),
    ),
)
CHANNELS = Resource(
    name="channels",
    model=Channel,
    keys=(
        Field("name", text(200), "name", required=True),
        Field("kind", choice(Channel.Kind.values), "kind", required=True),
    ),
)

record_services = plain(SERVICES)
record_channels = plain(CHANNELS)
