"""How a resource is spelled: which field goes to which column, and what it points at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import Model, QuerySet

from staff.access import Actor
from staff.actions.intake.parsers import Parser
from staff.actions.intake.results import Record

if TYPE_CHECKING:
    from staff.actions.intake.batch import Batch


ABSENT = object()


@dataclass(frozen=True)
class Field:
    """A key of a row. `column` empty: taken and checked, kept by no column (a later room's, or handled by the room).

    `deed`: who may write it. `required`: a new record needs it, and null is refused.
    """

    name: str
    parse: Parser
    column: str = ""
    required: bool = False
    deed: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Ref:
    """A key that names another object: `name` by its external id of the same source, `inner` by our own id.

    `extras`: columns of that object which the checks need. `within`: it may stand in the same batch.
    `scope`: what this actor may point at; outside it an id "is not known", as if it did not exist.
    `made(values, now)`: columns of the object that is made when a record first names its external id; such an external
    id is always known, and `scope` holds for our own ids only.
    """

    name: str
    column: str
    inner: str
    model: type[Model]
    extras: tuple[str, ...] = ()
    required: bool = False
    within: bool = False
    scope: Callable[[Actor], QuerySet[Any]] | None = None
    aliases: tuple[str, ...] = ()
    lock: bool = False
    made: Callable[[dict[str, Any], datetime], dict[str, Any]] | None = None


@dataclass(frozen=True)
class Nested:
    """A key that holds a list of rows of another resource, named `of` in the documentation."""

    name: str
    of: str = ""


Key = Field | Ref | Nested


@dataclass(frozen=True)
class Resource:
    """`check` validates `record.values` (stored and given together) and sets the derived columns.

    `zone`: the zone in which times without an offset are read. `scope`: stored rows that the actor may write.
    `branch`: the branch whose keys see the row's line in the change feed. `after`: what is written beside the records, in
    the same transaction. A higher room extends a lower one's resource by both: a `Ref` to its own objects whose column
    the model does not have, and an `after` that keeps what it says.
    """

    name: str
    model: type[Model]
    keys: tuple[Key, ...]
    check: Callable[[Batch, Record], None] | None = None
    zone: Callable[[Batch, Record], str] | None = None
    scope: Callable[[Actor], QuerySet[Any]] | None = None
    branch: Callable[[Record], int | None] | None = None
    prepare: Callable[[Batch], None] | None = None
    after: Callable[[Batch], None] | None = None
    on_create: tuple[str, ...] = ()  # columns that take `now` when the row is made
    feed: bool = True

    @cached_property
    def by_name(self) -> dict[str, Key]:
        names: dict[str, Key] = {}
        for key in self.keys:
            names[key.name] = key
            names.update(dict.fromkeys(getattr(key, "aliases", ()), key))
            if isinstance(key, Ref):
                names[key.inner] = key
        return names

    @cached_property
    def refs(self) -> tuple[Ref, ...]:
        return tuple(key for key in self.keys if isinstance(key, Ref))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Attribute names of all columns, `id` first."""
        return tuple(column.attname for column in self.model._meta.concrete_fields)

    @cached_property
    def blank(self) -> dict[str, Any]:
        """The columns of a new record before the row is laid over them."""
        return {column.attname: column.get_default() for column in self.model._meta.concrete_fields}

    @cached_property
    def null_of(self) -> dict[str, Any]:
        """What null means for a column: NULL where the column has one, else its default, else empty text.

        ABSENT: a column that can be none of these and is filled here when the row says nothing.
        """
        filled = {key.column for key in self.keys if isinstance(key, Field) and not key.required}
        found: dict[str, Any] = {}
        for column in self.model._meta.concrete_fields:
            if column.null:
                found[column.attname] = None
            elif column.has_default():
                found[column.attname] = column.get_default()
            elif column.empty_strings_allowed:
                found[column.attname] = ""
            else:
                found[column.attname] = ABSENT if column.attname in filled else None
        return found

    @cached_property
    def times(self) -> tuple[str, ...]:
        """Columns that rows give times for."""
        fields = self.model._meta.concrete_fields
        written = {key.column for key in self.keys if isinstance(key, Field)}
        times = (column.attname for column in fields if column.get_internal_type() == "DateTimeField")
        return tuple(name for name in times if name in written)

    @cached_property
    def required(self) -> tuple[tuple[str, str], ...]:
        """(column, name of the key) of what a record cannot lack."""
        return tuple((key.column, key.name) for key in self.keys if not isinstance(key, Nested) and key.required)
