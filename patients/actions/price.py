"""The price list and the channels as other systems send them."""

from __future__ import annotations

from django.utils.translation import gettext as _

from patients.actions.channels import line_above, locked_parents
from patients.models import Channel, Service
from patients.models.price import Tier
from staff.actions.intake import Field, Ref, Resource, plain
from staff.actions.intake.batch import Batch
from staff.actions.intake.parsers import choice, money_from_zero, text, truth, whole
from staff.actions.intake.results import Record, fail


def _tree(batch: Batch) -> None:
    """The tree as it stands, where a row of the batch names a parent."""
    if any(record.references for record in batch.records):
        batch.kept["parents"] = locked_parents()


def _no_circle(batch: Batch, record: Record) -> None:
    """A parent below the channel itself is refused.

    What a row moves away from still counts until the batch is written: whether that other row is written is not known
    yet. (Two channels that change places take two batches.)
    """
    parent, edges = record.given.get("parent_id"), batch.kept.get("parents", {})
    if parent is None:
        return
    if record.id in line_above(parent, edges):
        fail(record, "parent_id", _("stands below this channel"))
    else:
        edges.setdefault(record.id, set()).add(parent)


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
        Ref("parent_id", "parent_id", "parent", Channel, within=True),
    ),
    prepare=_tree,
    check=_no_circle,
)

record_services = plain(SERVICES)
record_channels = plain(CHANNELS)
