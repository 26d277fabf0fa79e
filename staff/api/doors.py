"""A door: one resource of the API, declared. Reading goes by `.values_list()`, writing by the row actions of intake."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.money import money_text
from staff.access import Actor
from staff.actions.intake import Resource, RowResult
from staff.api.filters import DoorFilters, filtered
from staff.api.problems import Problem

PAGE_SIZE, MOST = 50, 200
Json = dict[str, Any]


def instant_text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


SHOWN: dict[str, Callable[[Any], Any]] = {
    "instant": instant_text,
    "date": lambda value: value.isoformat(),
    "money": money_text,
}
KIND_SCHEMA: dict[str, Json] = {
    "id": {"type": "integer"},
    "integer": {"type": "integer"},
    "text": {"type": "string"},
    "bool": {"type": "boolean"},
    "instant": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "money": {"type": "string", "pattern": r"^-?\d+\.\d{2}$"},
}


@dataclass(frozen=True)
class Column:
    """A field of an answer. `path`: where the ORM finds it; `deed`: who may read it (else it is left out); `show`: how
    it is written where its kind does not say."""

    name: str
    kind: str = "text"
    path: str = ""
    deed: str = ""
    null: bool = False
    show: Callable[[Any], Any] | None = None

    @property
    def source(self) -> str:
        return self.path or self.name


@dataclass(frozen=True)
class Listed:
    """A list inside the answers: filled for a whole page by one query. `fill(rows, by)` sets `name` in each row."""

    name: str
    fill: Callable[[list[Json], Actor], None]
    schema: Json
    deed: str = ""


def reference(name: str, kind_of: str = "") -> tuple[Column, Column]:
    """`patient` (our id) and `patient_id` (its external id) of a foreign key."""
    return Column(name, "id", f"{name}_id", null=True), Column(f"{name}_id", "text", f"{name}__external_id", null=True)


IDENTITY = (Column("id", "id"), Column("source", path="source__code"), Column("external_id"))


@dataclass(frozen=True)
class Door:
    """`scope(by)`: what this actor may see. `record`: the row action. `make`: what POST of one does instead of it."""

    name: str
    one: str  # singular, for operation names
    resource: Resource
    record: Callable[..., list[RowResult]]
    scope: Callable[[Actor], QuerySet[Any]]
    columns: tuple[Column, ...]
    filters: type[DoorFilters]
    lists: tuple[Listed, ...] = ()
    write: str = "write_api"
    personal: bool = False  # reading one is written to the audit log
    make: Callable[..., int] | None = None

    def visible_columns(self, by: Actor) -> list[Column]:
        return [column for column in (*IDENTITY, *self.columns) if not column.deed or by.may(column.deed)]

    def rows(self, found: QuerySet[Any], by: Actor) -> list[Json]:
        """The objects of `found` as answers; the number of queries does not depend on how many there are."""
        columns = self.visible_columns(by)
        show = [(column.name, column.show or SHOWN.get(column.kind)) for column in columns]
        rows = [
            {
                name: cell if cell is None or to is None else to(cell)
                for (name, to), cell in zip(show, cells, strict=True)
            }
            for cells in found.values_list(*(column.source for column in columns))
        ]
        for listed in self.lists:
            if not listed.deed or by.may(listed.deed):
                listed.fill(rows, by)
        return rows

    def page(self, params: Mapping[str, Any], by: Actor) -> tuple[list[Json], str | None]:
        """Rows of one page in order of id, and the cursor of the next (None at the end). Never counts."""
        found = filtered(self.scope(by), self.filters, params, by)
        size, after = page_size(params), cursor_values(params, 1)
        if after:
            found = found.filter(pk__gt=after[0])
        rows = self.rows(found.order_by("pk")[: size + 1], by)
        more = len(rows) > size
        return rows[:size], cursor_of(rows[size - 1]["id"]) if more else None

    def one_row(self, by: Actor, **lookup: Any) -> Json | None:
        rows = self.rows(self.scope(by).filter(**lookup)[:1], by)
        return rows[0] if rows else None


def page_size(params: Mapping[str, Any]) -> int:
    text = params.get("page_size", "")
    if text == "":
        return PAGE_SIZE
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MOST):
        raise Problem(400, errors={"page_size": [_("must be between %(low)d and %(high)d") % {"low": 1, "high": MOST}]})
    return int(text)


def cursor_of(*values: int) -> str:
    """Opaque to clients: the place in the order after which the next page begins."""
    return base64.urlsafe_b64encode(".".join(map(str, values)).encode()).decode().rstrip("=")


def cursor_values(params: Mapping[str, Any], length: int) -> Sequence[int]:
    """What `cursor_of` packed; () without a cursor. Raises Problem 400 for anything that we did not make."""
    text = params.get("cursor", "")
    if text == "":
        return ()
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        values = [int(part) for part in raw.decode("ascii").split(".")]
        if len(values) != length or not all(0 <= value < 2**63 for value in values):
            raise ValueError
    except (ValueError, binascii.Error):
        raise Problem(400, errors={"cursor": [_("is not a cursor that this API gave")]}) from None
    return values
