"""First step of intake: raw rows to records. What a row says is parsed by a plan made once per set of keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _

from staff.access import Actor
from staff.actions.intake.parsers import Parser, code, listing, whole
from staff.actions.intake.resource import ABSENT, Field, Ref, Resource
from staff.actions.intake.results import Record, fail

inner_id = whole(1, 2**63 - 1)


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

    def read(self, record: Record, row: Mapping[str, Any]) -> None:
        """Fill `given`, `loose` and `references`; what cannot be read becomes errors of the record."""
        keys = tuple(row)
        plan = self.plans.get(keys) or self.plans.setdefault(keys, self._plan(keys))
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
