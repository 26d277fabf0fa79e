"""Reading the audit log: a page of it, and the check that it is whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core.clock import day_end, day_start
from staff.access import Actor
from staff.models import ApiKey, AuditEntry, AuditHead, Clinic, User
from staff.rules.chain import fits, head_fits

CHUNK = 2000


@dataclass(frozen=True)
class Verdict:
    """`count` entries were read; `problem` names the first broken row, empty when the chain holds."""

    count: int
    problem: str = ""


def verify_audit() -> Verdict:
    """Walk the whole chain in constant memory and hold it against its head."""
    previous, count = "", 0
    head = AuditHead.objects.filter(pk=1).first()
    if head is None:
        return Verdict(0, _("the head of the chain is missing"))
    # Entries that are appended while we read are not broken: the walk ends where the head stood when it began.
    last = max(head.last_id, head.count)
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=CHUNK):
        if entry.id > last and _grown(head):
            break
        count += 1
        if entry.id != count:
            return Verdict(count - 1, _("entry %(id)d is missing") % {"id": count})
        if not fits(previous, entry):
            return Verdict(count - 1, _("entry %(id)d was changed") % {"id": entry.id})
        previous = entry.hash
    return Verdict(count, _tail_problem(head, count, previous))


def _grown(head: AuditHead) -> bool:
    """Whether the head that stands now is further than the one we began with."""
    return AuditHead.objects.filter(pk=1, count__gt=head.count).exists()


def _tail_problem(head: AuditHead, count: int, previous: str) -> str:
    if count < head.count:
        return _("entry %(id)d is missing: the end of the log was cut off") % {"id": count + 1}
    if head.count == 0 and not head.seal and count == 0:
        return ""
    if (head.count, head.last_id, head.hash) != (count, count, previous) or not head_fits(head):
        return _("the head of the chain does not fit entry %(id)d") % {"id": count}
    return ""


@dataclass(frozen=True)
class AuditFilter:
    """What the page asks for; empty = everything. `who` is "user:3", "key:2", "system" or "patient"."""

    who: str = ""
    patient_id: int | None = None
    deed: str = ""
    since: date | None = None
    until: date | None = None


def audit_entries(*, by: Actor, wanted: AuditFilter) -> QuerySet[AuditEntry]:
    """Entries, newest first. Who is bound to a branch sees the deeds of that branch's people and keys."""
    entries = _by_person(AuditEntry.objects.order_by("-id"), wanted.who)
    tz = Clinic.objects.get(pk=1).tz
    if by.branch_id is not None:
        people = Q(actor_kind="user", actor_id__in=User.objects.filter(branch_id=by.branch_id).values("id"))
        keys = Q(actor_kind="key", actor_id__in=ApiKey.objects.filter(branch_id=by.branch_id).values("id"))
        entries = entries.filter(people | keys)
    if wanted.patient_id is not None:
        entries = entries.filter(patient_id=wanted.patient_id)
    if wanted.deed:
        entries = entries.filter(deed=wanted.deed)
    if wanted.since:
        entries = entries.filter(at__gte=day_start(wanted.since, tz))
    if wanted.until:
        entries = entries.filter(at__lt=day_end(wanted.until, tz))
    return entries


def _by_person(entries: QuerySet[AuditEntry], who: str) -> QuerySet[AuditEntry]:
    kind, _colon, number = who.partition(":")
    if kind in ("system", "patient"):
        return entries.filter(actor_kind=kind)
    if kind in ("user", "key"):
        return entries.filter(actor_kind=kind, actor_id=int(number) if number.isdecimal() else -1)
    return entries
