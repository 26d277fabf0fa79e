"""Taking an import back: what it made goes, what it changed is as before; what others did since stays and is listed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Model
from django.utils import translation
from django.utils.translation import gettext as _

from core.phones import Phone, digits_of
from loyalty import actions as loyalty
from messaging.models import Message
from mis.actions.intake import RESOURCES
from mis.actions.jobs.images import OWN, Image, changed_fields, images_by_id
from mis.actions.jobs.receive import NotNow
from mis.actions.jobs.run import Clock, Lost, claim, finish, hold
from mis.models import ImportedRow, ImportJob
from mis.queries.used import NEVER_SENT, used_by_others
from mis.rules.rows import ORDER
from patients.actions.people import search_text
from patients.actions.visits import refresh_amounts
from patients.actions.zone import derive_days, zone_changed_since
from patients.models import PatientPhone, PatientTag, Payment, Touchpoint, WorkItem
from staff import actions as staff
from staff.access import Actor
from staff.actions.intake import store
from staff.actions.journal import ChangedRow
from staff.models import Change

BATCH = 500
UNDONE, KEPT = "undone", "kept"
# Local days follow their instants: what moved them (another zone of the clinic) is no change that somebody made.
DERIVED, INSTANT = frozenset({"day", "value_day"}), {"visits": "start_at", "payments": "paid_at"}


@transaction.atomic
def start_undo(*, job_id: int, by: Actor, now: datetime) -> ImportJob:
    """Ask for an import to be taken back; a worker does it. Raises NotNow unless it is done or has failed."""
    job = ImportJob.objects.select_for_update().get(pk=job_id)
    if job.status not in (ImportJob.Status.DONE, ImportJob.Status.FAILED):
        raise NotNow(_("only an import that has ended can be undone"))
    job.status, job.actor = ImportJob.Status.UNDOING, asdict(by)
    job.save(update_fields=["status", "actor"])
    staff.record(by=by, deed="start_undo", now=now, object_kind="import", object_id=job.pk)
    return job


def undo_import(*, job_id: int, worker: str, clock: Clock) -> bool:
    """Take back batch by batch, the newest first, so that children go before their parents. Safe to be killed."""
    job = claim(job_id, worker, clock(), (ImportJob.Status.UNDOING,))
    if job is None:
        return False
    by = Actor(**job.actor)
    with translation.override(job.language):
        try:
            while _undo_batch(job, by, clock()):
                pass
        except Lost:
            return False
        if zone_changed_since(job.created_at):
            derive_days()
        finish(job, clock(), ImportJob.Status.UNDONE)
    return True


@transaction.atomic
def _undo_batch(job: ImportJob, by: Actor, now: datetime) -> int:
    rows = _next_rows(job)
    if not rows:
        return 0
    work = Undo(job, by, now)
    for resource in reversed(ORDER):
        mine = [row for row in rows if row.resource == resource]
        if mine:
            work.take_back(resource, mine)
    work.follow()
    ImportedRow.objects.bulk_update(rows, ["undo", "conflict"], batch_size=BATCH)
    conflicts = sum(bool(row.conflict) for row in rows)
    hold(job, now, conflicts=F("conflicts") + conflicts)
    note = f"{len(rows) - conflicts} undone, {conflicts} kept"
    staff.record(by=by, deed="undo_import", now=now, object_kind="import", object_id=job.pk, note=note)
    return len(rows)


def _next_rows(job: ImportJob) -> list[ImportedRow]:
    """The newest rows not yet taken back, each object once: its earlier rows come in a later batch."""
    rows, seen = [], set()
    for row in ImportedRow.objects.filter(job=job, undo="").order_by("-id")[:BATCH]:
        if (row.resource, row.object_id) in seen:
            break
        seen.add((row.resource, row.object_id))
        rows.append(row)
    return rows


@dataclass
class Undo:
    """One batch of taking back; what has to follow from it is gathered and done at its end."""

    job: ImportJob
    by: Actor
    now: datetime
    visits: set[int] = field(default_factory=set)  # whose items changed
    patients: set[int] = field(default_factory=set)  # whose value has to be worked out again

    def take_back(self, resource: str, rows: list[ImportedRow]) -> None:
        current = images_by_id(resource, (row.object_id for row in rows), lock=True)
        made = [row for row in rows if row.before is None]
        self._note_touched(resource, current)
        self._remove(resource, made, current)
        self._restore(resource, [row for row in rows if row.before is not None], current)

    def _note_touched(self, resource: str, current: dict[int, Image]) -> None:
        for pk, image in current.items():
            if resource == "items":
                self.visits.add(image["visit_id"])
            if resource == "patients":
                self.patients.add(pk)
            elif "patient_id" in image:
                self.patients.add(image["patient_id"])

    # --- what the import made -----------------------------------------------------------------------------------------
    def _remove(self, resource: str, rows: list[ImportedRow], current: dict[int, Image]) -> None:
        free = []
        for row in rows:
            now = current.get(row.object_id)
            changed = [name for name in changed_fields(resource, row.after, now) if name not in DERIVED] if now else []
            row.undo = KEPT if changed else UNDONE
            if changed:
                row.conflict = _("changed since: %(fields)s") % {"fields": ", ".join(changed)}
            elif now:
                free.append(row)
        if not free:
            return
        model = RESOURCES[resource].model
        used = used_by_others(model, [row.object_id for row in free])
        for row in free:
            if row.object_id in used:
                row.undo = KEPT
                row.conflict = _("others have built on it: %(what)s") % {"what": ", ".join(sorted(used[row.object_id]))}
        self._delete(resource, model, [row for row in free if row.undo == UNDONE], current)

    def _delete(self, resource: str, model: type[Model], rows: list[ImportedRow], current: dict[int, Image]) -> None:
        ids = [row.object_id for row in rows]
        if resource in ("visits", "patients"):
            name = "visit_id__in" if resource == "visits" else "patient_id__in"
            # What the sweep wrote about them goes with them.
            Touchpoint.objects.filter(**{name: ids}, dedupe_key__isnull=False).delete()
            WorkItem.objects.filter(**{name: ids}, dedupe_key__isnull=False).delete()
            Message.objects.filter(**{name: ids}, state__in=NEVER_SENT).delete()
        model._default_manager.filter(pk__in=ids).delete()
        self.patients -= set(ids) if resource == "patients" else set()
        self.visits -= set(ids) if resource == "visits" else set()
        self._feed(resource, rows, current, Change.Kind.DELETED)

    # --- what the import changed --------------------------------------------------------------------------------------
    def _restore(self, resource: str, rows: list[ImportedRow], current: dict[int, Image]) -> None:
        restored = []
        for row in rows:
            now, before = current.get(row.object_id), row.before or {}
            if now is None:
                row.undo, row.conflict = KEPT, _("deleted since")
                continue
            changed = [name for name in changed_fields(resource, before, row.after) if name not in OWN]
            lost = [name for name in changed if name not in DERIVED and now.get(name) != row.after[name]]
            stay = {*lost, *(DERIVED if INSTANT.get(resource) in lost else ())}
            back = {name: before.get(name) for name in changed if name not in stay}
            row.undo = KEPT if lost else UNDONE
            if lost:
                row.conflict = _("changed since: %(fields)s") % {"fields": ", ".join(lost)}
            if back:
                restored.append((row, back))
        self._write(resource, restored, current)

    def _write(self, resource: str, rows: list[tuple[ImportedRow, Image]], current: dict[int, Image]) -> None:
        resource_ = RESOURCES[resource]
        fields = {f.attname: f for f in resource_.model._meta.concrete_fields}
        groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
        for row, back in rows:
            if resource == "patients":
                self._restore_lists(row.object_id, back)
                back["search"] = _search({**current[row.object_id], **back})
            names = tuple(sorted(name for name in back if name in fields))
            groups[names].append((*(fields[name].to_python(back[name]) for name in names), row.object_id))
        for names, values in groups.items():
            store.update(resource_.model, names, values)
        self._feed(resource, [row for row, _back in rows], current, Change.Kind.CHANGED)
        if resource == "payments":
            _value_days([row.object_id for row, back in rows if "day" in back])

    @staticmethod
    def _restore_lists(pk: int, back: Image) -> None:
        if "phones" in back:
            PatientPhone.objects.filter(patient_id=pk).delete()
            PatientPhone.objects.bulk_create(
                PatientPhone(
                    patient_id=pk, number=number, raw=raw, reverse_digits=digits_of(number)[::-1], position=position
                )
                for position, (number, raw) in enumerate(back["phones"])
            )
        if "tags" in back:
            PatientTag.objects.filter(patient_id=pk).delete()
            PatientTag.objects.bulk_create(PatientTag(patient_id=pk, name=name) for name in back["tags"])

    # --- what follows -------------------------------------------------------------------------------------------------
    def _feed(self, resource: str, rows: list[ImportedRow], current: dict[int, Image], kind: str) -> None:
        lines = [
            ChangedRow(
                object_id=row.object_id,
                source_code=self.job.source.code,
                external_id=row.external_id,
                branch_id=current[row.object_id].get("branch_id"),
            )
            for row in rows
        ]
        staff.note_changes(resource=resource, rows=lines, now=self.now, kind=kind)

    def follow(self) -> None:
        """Sums of visits whose items went, and the value of the patients concerned."""
        refresh_amounts(self.visits)
        if self.patients:
            loyalty.refresh_values(patients=self.patients, now=self.now)


def _search(image: Image) -> str:
    return search_text(image, [Phone(number, raw) for number, raw in image["phones"]])


def _value_days(payment_ids: list[int]) -> None:
    """Refunds follow the day of their payment."""
    days = dict(Payment.objects.filter(pk__in=payment_ids).values_list("pk", "day"))
    refunds = Payment.objects.filter(refund_of_id__in=payment_ids).values_list("pk", "refund_of_id")
    store.update(Payment, ("value_day",), [(days[paid], pk) for pk, paid in refunds])
