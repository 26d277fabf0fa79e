"""Second step of intake: a batch meets the database. Existing rows and references are looked up in one query each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from operator import itemgetter
from typing import Any

from django.utils.translation import gettext as _

from core.clock import zone
from staff.access import Actor
from staff.actions.intake import store
from staff.actions.intake.branches import Branches
from staff.actions.intake.parsers import code
from staff.actions.intake.reading import Reader
from staff.actions.intake.resource import Ref, Resource
from staff.actions.intake.results import CREATED, UPDATED, Record, fail, not_known
from staff.models import Source

Rows = Iterable[tuple[int, Mapping[str, Any]]]


class Batch:
    """Records of one resource from one source, each external id once.

    Steps, in this order: `read`, `load`, `settle`, `classify`, `write`. Rows that are part of other rows (items of a
    visit) make a batch of their own with `parent` records; all batches are settled before the first is written.
    """

    def __init__(
        self, resource: Resource, *, source: Source, by: Actor, now: datetime, branches: Branches | None = None
    ) -> None:
        self.resource, self.source, self.by, self.now = resource, source, by, now
        self.branches = branches or Branches(by)
        self.reader = Reader(resource, by)
        self.records: list[Record] = []
        self.by_external: dict[str, Record] = {}
        self.by_inner: dict[int, Record] = {}
        self.kept: dict[str, Any] = {}  # what the room keeps from step to step
        self.beside: list[Batch] = []  # batches of rows of their own that were written with this one
        self.lists: list[Record] = []  # parents whose rows hold the list that became this batch
        self.found: dict[Ref, tuple[dict[str, dict[str, Any]], dict[int, dict[str, Any]]]] = {}

    @property
    def live(self) -> list[Record]:
        return [record for record in self.records if not record.failed]

    @property
    def listed(self) -> list[Record]:
        """Parents whose rows hold the list that became this batch, without those that failed."""
        return [parent for parent in self.lists if not parent.failed]

    def of(self, resource: Resource) -> Batch:
        """An empty batch of another resource, from the same source and actor."""
        return Batch(resource, source=self.source, by=self.by, now=self.now, branches=self.branches)

    # --- read ---------------------------------------------------------------------------------------------------------
    def read(self, rows: Rows) -> None:
        for index, row in rows:
            self.add(Record(index), row)
        self.reader.read_taken()

    def read_nested(self, name: str, children: Batch, own_id: Any = None) -> None:
        """The lists that the records hold under `name` go to the batch `children`.

        `own_id(record, position)` names an entry that has no external id; without it that is an error.
        """
        children.lists = [parent for parent in self.records if parent.loose.get(name) is not None]
        longest = max((len(parent.loose[name]) for parent in children.lists), default=0)
        prefixes = [f"{name}.{position}." for position in range(longest)]
        for parent in children.lists:
            for position, row in enumerate(parent.loose[name]):
                child = Record(parent.index, parent=parent, prefix=prefixes[position])
                parent.dependents.append((child, "", ""))
                nameless = own_id and isinstance(row, (dict, Mapping)) and not row.get("external_id")
                children.add(child, {**row, "external_id": own_id(parent, position)} if nameless else row)
                child.failed |= parent.failed
        children.reader.read_taken()

    def add(self, record: Record, row: Any) -> None:
        self.records.append(record)
        if type(row) is not dict and not isinstance(row, Mapping):
            fail(record, "row", _("must be an object with fields"))
            return
        try:
            value = row.get("external_id")
            record.external_id = "" if value is None else code(value)
        except ValueError as error:
            fail(record, "external_id", str(error))
        self.reader.take(record, row)
        if not record.external_id:
            if "external_id" not in record.errors:
                fail(record, "external_id", _("is required"))
        elif self.by_external.setdefault(record.external_id, record) is not record:
            fail(record, "external_id", _("stands twice in this batch"))

    # --- load ---------------------------------------------------------------------------------------------------------
    def load(self) -> None:
        live = self.live
        if live:
            self._load_stored(live)
        for ref in self.resource.refs if self.records else ():
            self._load_related(ref, self.records)  # of failed rows too: they are told all that is wrong with them
        if live:
            self._number(live)
        if self.resource.prepare:
            self.resource.prepare(self)

    def _number(self, live: list[Record]) -> None:
        """Ids for the new ones before anything is written, so that rows of one batch can point at each other."""
        fresh = [record for record in live if record.old is None]
        for record, number in zip(fresh, store.new_ids(self.resource.model, len(fresh)), strict=True):
            record.id = number
        self.by_inner = {record.id: record for record in live if record.id is not None}

    def _load_stored(self, live: list[Record]) -> None:
        columns = self.resource.columns
        stored = (
            self.resource.model._default_manager.filter(
                source_id=self.source.pk, external_id__in=store.among(record.external_id for record in live)
            )
            .select_for_update(no_key=True)  # in one order: two batches of the same rows wait, they do not deadlock
            .order_by("id")
        )
        for row in stored.values_list(*columns):
            old = dict(zip(columns, row, strict=True))
            record = self.by_external[old["external_id"]]
            record.id, record.old = old["id"], old
        if self.by.branch_id is not None and self.resource.scope:
            self._refuse_foreign(live)

    def _refuse_foreign(self, live: list[Record]) -> None:
        """Rows of another branch: known to the source, but not this actor's to change."""
        stored = [record for record in live if record.id is not None]
        scope = self.resource.scope(self.by)  # type: ignore[misc]
        own = set(scope.filter(pk__in=store.among([r.id for r in stored], "bigint")).values_list("pk", flat=True))
        for record in stored:
            if record.id not in own:
                fail(record, "external_id", _("belongs to another branch"))
                record.old = None  # the answer must not tell our id of it

    @staticmethod
    def _wanted(ref: Ref, live: list[Record]) -> tuple[set[str], set[int]]:
        """External ids and own ids by which the records name objects of `ref`; stored ones too, for their extras."""
        wanted: tuple[set[str], set[int]] = (set(), set())
        for record in live:
            for one, inner, key, _name in record.references:
                if one is ref:
                    wanted[inner].add(key)
            if ref.extras and record.old is not None and ref.column not in record.given:
                wanted[1].add(record.old[ref.column])
        wanted[1].discard(None)
        return wanted

    def _load_related(self, ref: Ref, live: list[Record]) -> None:
        wanted = self._wanted(ref, live)
        known = ref.scope(self.by) if ref.scope else ref.model._default_manager.all()
        outer: dict[str, dict[str, Any]] = {}
        inner_rows: dict[int, dict[str, Any]] = {}
        columns = ("id", *ref.extras)
        if ref.lock:
            known = known.select_for_update(no_key=True).order_by("id")
        if wanted[0]:
            named = ref.model._default_manager.all() if ref.made else known
            rows = named.filter(source_id=self.source.pk, external_id__in=store.among(wanted[0]))
            for row in rows.values_list("external_id", *columns):
                outer[row[0]] = dict(zip(columns, row[1:], strict=True))
        if wanted[1]:
            for row in known.filter(pk__in=store.among(wanted[1], "bigint")).values_list(*columns):
                inner_rows[row[0]] = dict(zip(columns, row, strict=True))
        if ref.made:
            missing = sorted(wanted[0] - outer.keys())
            outer |= {
                key: {"id": number, "external_id": key}
                for key, number in zip(missing, store.new_ids(ref.model, len(missing)), strict=True)
            }
        self.found[ref] = (outer, inner_rows)

    # --- settle -------------------------------------------------------------------------------------------------------
    def settle(self, links: Mapping[str, str] | None = None) -> None:
        """Resolve references, lay the given values over the stored ones and check them.

        `links`: column of a nested record -> column of its parent's record that it takes.
        """
        for record in self.records:
            self._resolve(record)
        check, blank, times = self.resource.check, self.resource.blank, self.resource.times
        fixed = blank | dict.fromkeys(self.resource.on_create, self.now) | {"source_id": self.source.pk}
        for record in self.live:
            if record.old is None:
                record.values = {**fixed, **record.given, "id": record.id, "external_id": record.external_id}
            else:
                record.values = {**record.old, **record.given}
            if record.parent is not None:
                self._link(record, record.parent, links or {})
            if times:
                self._localise(record)
            if self._complete(record) and check:
                check(self, record)

    def _resolve(self, record: Record) -> None:
        for ref, inner, key, name in record.references:
            column, target = ref.column, None
            known = self.found[ref][inner].get(key)
            if ref.within:
                target = (self.by_inner if inner else self.by_external).get(key)
            if target is not None and (target.old is None or known is not None) and not target.failed:
                if target.old is None:
                    target.dependents.append((record, name, not_known(key)))
                record.given[column] = target.id
                continue
            if known is None:
                fail(record, name, not_known(key))
            else:
                record.given[column], record.related[column] = known["id"], known
        if record.old is None:
            return
        for ref in self.resource.refs:
            if ref.extras and ref.column not in record.given:
                kept = self.found[ref][1].get(record.old[ref.column])
                if kept is not None:
                    record.related[ref.column] = kept

    def target(self, record: Record, column: str) -> dict[str, Any]:
        """Columns of what `record` points at by `column`, as they will be; {} when it points at nothing."""
        known = record.related.get(column)
        if known is not None:
            return known
        inner = self.by_inner.get(record.values.get(column))  # type: ignore[arg-type]
        return inner.values if inner is not None else {}

    @staticmethod
    def _link(record: Record, parent: Record, links: Mapping[str, str]) -> None:
        given, values = record.given, parent.values
        for column, theirs in links.items():
            if given.get(column) is None:
                record.values[column] = values[theirs]
                record.related[column] = values if theirs == "id" else parent.related.get(column) or {}
            elif theirs == "id" and record.given[column] != parent.id:
                fail(record, column, _("is not that of the row it stands in"))

    def _localise(self, record: Record) -> None:
        for column in self.resource.times:
            value = record.given.get(column)
            if value is not None and value.tzinfo is None:
                tz = self.resource.zone(self, record) if self.resource.zone else self.branches.clinic_tz
                record.values[column] = value.replace(tzinfo=zone(tz)).astimezone(UTC)

    def _complete(self, record: Record) -> bool:
        for column, name in self.resource.required:
            value = record.values[column]
            if not value and value in (None, "") and (record.old is None or column in record.given):
                fail(record, name, _("is required"))
        return not record.failed

    # --- write --------------------------------------------------------------------------------------------------------
    def classify(self) -> None:
        for record in self.records:
            record.classify()

    @cached_property
    def created(self) -> list[Record]:
        return [record for record in self.records if record.status == CREATED]

    @cached_property
    def updated(self) -> list[Record]:
        return [record for record in self.records if record.status == UPDATED]

    def write(self) -> None:
        """New records in, changed columns of the others over. Call after `classify`."""
        for ref in self.resource.refs:
            if ref.made:
                self._make_named(ref, ref.made)
        columns = self.resource.columns
        pick = itemgetter(*columns)
        # In order of the unique key: writers of the same new rows wait for each other instead of deadlocking.
        fresh = sorted(self.created, key=lambda record: record.external_id)
        store.insert(self.resource.model, columns, [pick(record.values) for record in fresh])
        changed = sorted({c for r in self.updated for c in columns if r.values[c] != r.old[c]})  # type: ignore[index]
        if changed:
            pick = itemgetter(*changed, "id")
            store.update(self.resource.model, changed, [pick(record.values) for record in self.updated])

    def _make_named(self, ref: Ref, made: Callable[[dict[str, Any], datetime], dict[str, Any]]) -> None:
        """Objects that this batch names for the first time. Those that only a failed record names are not made."""
        rows: dict[str, dict[str, Any]] = {}
        for record in (*self.created, *self.updated):
            new = record.related.get(ref.column) or {}
            key = new.get("external_id")
            if key is not None and key not in rows:
                fixed = {"id": new["id"], "source_id": self.source.pk, "external_id": key}
                rows[key] = fixed | made(record.values, self.now)
        if rows:
            columns = list(next(iter(rows.values())))
            store.insert(ref.model, columns, [tuple(rows[key].values()) for key in sorted(rows)])
