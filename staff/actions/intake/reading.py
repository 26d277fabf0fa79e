"""First step of intake: raw rows to records. What a row says is parsed by a plan made once per set of keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _

from staff.access import Actor
from staff.actions.intake.parsers import Parser, code, listing, whole
from staff.actions.intake.resource import ABSENT, Field, Ref, Resource
from staff.actions.intake.results import Record, fail

inner_id = whole(1, 2**63 - 1)
FEW = 8  # rows that are read one by one: columns pay from about here on
TEXTS = {str, type(None)}


@dataclass
class Plan:
    """How rows with exactly these keys are read."""

    fields: list[tuple[str, str, Parser]] = field(default_factory=list)  # (key, column, parser)
    loose: list[tuple[str, Parser]] = field(default_factory=list)
    refs: list[tuple[str, Ref, Parser]] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)  # (key, reason), the same for every such row


class Reader:
    """Reads rows of one resource for one actor."""

    def __init__(self, resource: Resource, by: Actor) -> None:
        self.resource, self.by = resource, by
        self.plans: dict[tuple[Any, ...], Plan] = {}
        self.alike: dict[tuple[Any, ...], list[tuple[Record, Mapping[str, Any]]]] = {}

    def take(self, record: Record, row: Mapping[str, Any]) -> None:
        """The row is read by the next `read_taken`, with all that have the same keys."""
        self.alike.setdefault(tuple(row), []).append((record, row))

    def read_taken(self) -> None:
        """Rows with the same keys are read column by column, which costs a third; one by one when a cell is wrong."""
        alike, self.alike = self.alike, {}
        for keys, rows in alike.items():
            if len(rows) < FEW or not self._read_columns(keys, rows):
                for record, row in rows:
                    self.read(record, row)

    def _plan_of(self, keys: tuple[Any, ...]) -> Plan:
        plan = self.plans.get(keys)
        if plan is None:
            plan = self.plans[keys] = self._plan(keys)
        return plan

    def _read_columns(self, keys_of_rows: tuple[Any, ...], rows: list[tuple[Record, Mapping[str, Any]]]) -> bool:
        """False, and nothing was done: a cell is wrong, or a column is empty in some rows and cannot be."""
        plan = self._plan_of(keys_of_rows)
        if plan.errors:
            return False
        columns = zip(*[row.values() for _record, row in rows], strict=True)  # the keys are the same, in one order
        raw = dict(zip(keys_of_rows, columns, strict=True))
        nulls = self.resource.null_of
        try:
            cells = {column: parsed(raw[name], parse, nulls[column]) for name, column, parse in plan.fields}
            keys = [(name, ref, parsed(raw[name], parse, None)) for name, ref, parse in plan.refs]
            loose = [
                (self._canonical(name), [None if v is None or v == "" else parse(v) for v in raw[name]])
                for name, parse in plan.loose
            ]
        except ValueError:
            return False
        self._fill(rows, cells, keys, loose)
        return True

    @staticmethod
    def _fill(
        rows: list[tuple[Record, Mapping[str, Any]]],
        cells: dict[str, Sequence[Any]],
        keys: list[tuple[str, Ref, Sequence[Any]]],
        loose: list[tuple[str, list[Any]]],
    ) -> None:
        records, columns = [record for record, _row in rows], [c for c in cells if cells[c][0] is not ABSENT]
        for record, *values in zip(records, *(cells[column] for column in columns), strict=True):
            record.given = dict(zip(columns, values, strict=True))
        for name, ref, found in keys:
            column, inner = ref.column, name == ref.inner
            for record, key in zip(records, found, strict=True):
                if key is None:
                    record.given.setdefault(column, None)
                else:
                    record.references.append((ref, inner, key, name))
        for name, found in loose:
            for record, value in zip(records, found, strict=True):
                record.loose[name] = value

    def read(self, record: Record, row: Mapping[str, Any]) -> None:
        """Fill `given`, `loose` and `references`; what cannot be read becomes errors of the record."""
        plan = self._plan_of(tuple(row))
        nulls, given = self.resource.null_of, record.given
        for name, column, parse in plan.fields:
            value = row[name]
            try:
                value = None if value is None or value == "" else parse(value)
            except ValueError as error:
                fail(record, name, str(error))
            if value is None or value == "":
                value = nulls[column]
            if value is not ABSENT:
                given[column] = value
        if plan.refs:
            self._read_refs(record, row, plan)
        if plan.loose:
            self._read_loose(record, row, plan)
        for name, reason in plan.errors:
            fail(record, name, reason)

    def _read_refs(self, record: Record, row: Mapping[str, Any], plan: Plan) -> None:
        for name, ref, parse in plan.refs:
            value = row[name]
            try:
                value = None if value is None or value == "" else parse(value)
            except ValueError as error:
                fail(record, name, str(error))
                continue
            if value is None or value == "":
                record.given.setdefault(ref.column, None)
            else:
                record.references.append((ref, name == ref.inner, value, name))

    def _read_loose(self, record: Record, row: Mapping[str, Any], plan: Plan) -> None:
        for name, parse in plan.loose:
            value = row[name]
            try:
                record.loose[self._canonical(name)] = None if value is None or value == "" else parse(value)
            except ValueError as error:
                fail(record, name, str(error))

    def _canonical(self, name: str) -> str:
        return self.resource.by_name[name].name

    def _plan(self, keys: tuple[Any, ...]) -> Plan:
        plan, seen = Plan(), {"external_id"}
        for name in keys:
            if name == "external_id":
                continue
            key = self.resource.by_name.get(name) if isinstance(name, str) else None
            if key is None:
                plan.errors.append((str(name)[:80], self._unknown(str(name))))
            elif key.name in seen and not isinstance(key, Ref):
                plan.errors.append((name, _("is given twice, under two names")))
            else:
                seen.add(key.name)
                self._add(plan, name, key)
        return plan

    def _add(self, plan: Plan, name: str, key: Any) -> None:
        if isinstance(key, Ref):
            plan.refs.append((name, key, inner_id if name == key.inner else code))
        elif not isinstance(key, Field):
            plan.loose.append((name, listing))
        elif key.deed and not self.by.may(key.deed):
            plan.errors.append((name, _("is not yours to write")))
        elif key.column:
            plan.fields.append((name, key.column, key.parse))
        else:
            plan.loose.append((name, key.parse))

    def _unknown(self, name: str) -> str:
        close = get_close_matches(name, self.resource.by_name, 1)
        if close:
            return _("is not a field here; did you mean %(name)s?") % {"name": close[0]}
        return _("is not a field here")


def parsed(values: Sequence[Any], parse: Parser, null: Any) -> Sequence[Any]:
    """The cells of one column; a text that repeats is parsed once. Raises ValueError when any cell is wrong."""
    texts = set(map(type, values)) <= TEXTS  # anything else may be equal without being the same: 1 and True
    distinct = set(values) if texts else None
    if distinct is None:
        found: Sequence[Any] = [_cell(value, parse, null) for value in values]
    elif 2 * len(distinct) < len(values):
        known = {value: _cell(value, parse, null) for value in distinct}
        found = [known[value] for value in values]
    elif None in distinct or "" in distinct:
        found = [_cell(value, parse, null) for value in values]
    elif parse is code and plain_codes(values):
        return values
    else:
        found = list(map(parse, values))
        if None in found or "" in found:  # nothing but spaces
            found = [null if value is None or value == "" else value for value in found]
    if null is ABSENT and ABSENT in found and found.count(ABSENT) < len(found):
        raise ValueError("empty in some rows only")
    return found


def _cell(value: Any, parse: Parser, null: Any) -> Any:
    if value is None or value == "":
        return null
    found = parse(value)
    return null if found is None or found == "" else found


def plain_codes(values: Sequence[str]) -> bool:
    """Whether every external id is one as it stands: what `code` says of each, asked of all at once."""
    joined, sizes = "".join(values), set(map(len, values))
    return joined.isascii() and joined.isprintable() and " " not in joined and min(sizes) > 0 and max(sizes) <= 120
