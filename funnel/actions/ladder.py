"""The ladder's writes: tiers in bulk, a doctor's word, and the offer of an indicated step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from core.names import clean_text
from funnel.models import Indication, LadderRules, TierMark
from funnel.queries.ladder import proposable
from messaging.queries.policy import open_holds
from patients.actions.traces import user_id
from patients.models import Patient, Service, Touchpoint, Visit, WorkItem
from patients.models.contact import Purpose
from patients.models.price import Tier
from patients.queries.card import record_ids
from staff.access import Actor
from staff.actions import note_changes, record
from staff.actions.journal import ChangedRow
from staff.models import Doctor

OUTCOMES = frozenset({"agreed", "thinks", "declined"})


class NoReason(Exception):
    """A doctor's word needs its reason."""


class NotIndicated(Exception):
    """No doctor indicated this service to the patient, or one forbade it: it is not proposed (R45)."""


@transaction.atomic
def set_tiers(*, tiers: Mapping[int, str], by: Actor, now: datetime) -> int:
    """{service id: tier}; answers how many services were set. `other` chosen here counts as classified."""
    services = list(Service.objects.select_for_update(of=("self",)).select_related("source").filter(pk__in=tiers))
    for service in services:
        service.tier = Tier(tiers[service.pk])
    Service.objects.bulk_update(services, ["tier"])
    TierMark.objects.bulk_create(
        [TierMark(service=service, set_at=now, set_by_id=user_id(by)) for service in services],
        update_conflicts=True,
        unique_fields=["service"],
        update_fields=["set_at", "set_by"],
    )
    rows = [ChangedRow(object_id=s.pk, source_code=s.source.code, external_id=s.external_id) for s in services]
    note_changes(resource="services", rows=rows, now=now)
    record(by=by, deed="edit_ladder", now=now, object_kind="service", fields=("tier",), note=f"rows: {len(rows)}")
    return len(rows)


@transaction.atomic
def set_prices_shown(*, shown: bool, by: Actor, now: datetime) -> None:
    """Puts the price list on its public page, or takes it down."""
    LadderRules.objects.update_or_create(pk=1, defaults={"prices_shown": shown})
    record(by=by, deed="edit_ladder", now=now, object_kind="price_list", fields=("prices_shown",))


@transaction.atomic
def call_stuck(*, patient_ids: Sequence[int], tier: str, note: str, by: Actor, now: datetime) -> int:
    """A work item for each of these canonical patients: once a patient and step; answers how many are new.

    Left out: who booked meanwhile, and whom no advertising may reach (a hold on any of his records).
    """
    group = Patient.objects.group_of(list(patient_ids))
    root_of = {pk: root or pk for pk, root in group.values_list("pk", "canonical_id")}
    held = open_holds(root_of, now).values_list("patient_id", flat=True)
    ahead = Visit.objects.filter(patient__in=root_of, status__in=Visit.HOLDING, start_at__gt=now)
    left_out = {root_of[pk] for pk in (*held, *ahead.values_list("patient_id", flat=True))}
    known = Patient.objects.filter(pk__in=set(patient_ids) - left_out, is_test=False, natural_churn_reason="")
    items = [
        WorkItem(
            kind=WorkItem.Kind.OTHER,
            patient_id=pk,
            branch_id=branch,
            due_at=now,
            created_at=now,
            note=note[:300],
            dedupe_key=f"ladder:{Tier(tier)}:{pk}",
        )
        for pk, branch in known.values_list("pk", "branch_id")
    ]
    before = WorkItem.objects.filter(dedupe_key__in=[item.dedupe_key for item in items]).count()
    WorkItem.objects.bulk_create(items, ignore_conflicts=True)
    made = len(items) - before
    record(by=by, deed="call_stuck", now=now, object_kind="work_item", note=f"{tier}, rows: {made}")
    return made


@transaction.atomic
def indicate(
    *, patient: Patient, service: Service, kind: str, doctor: Doctor, reason: str, by: Actor, now: datetime
) -> Indication:
    """The doctor's word, in place of the one that stood (closed, not deleted). Raises NoReason."""
    said = clean_text(reason)[:300]
    if not said:
        raise NoReason
    Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    open_words = Indication.objects.filter(patient__in=record_ids(patient.pk), service=service, closed_at=None)
    open_words.update(closed_at=now)
    made = Indication.objects.create(
        patient=patient,
        service=service,
        kind=Indication.Kind(kind),
        doctor=doctor,
        reason=said,
        created_at=now,
        created_by_id=user_id(by),
    )
    _noted(made, "indicate", by, now)
    return made


@transaction.atomic
def offer_step(*, patient: Patient, service: Service, outcome: str, by: Actor, now: datetime) -> Touchpoint:
    """What the patient said to an indicated step, as a touchpoint. Raises NotIndicated."""
    if outcome not in OUTCOMES:
        raise ValueError(outcome)
    Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    word = proposable(record_ids(patient.pk)).filter(service=service).first()
    if word is None:
        raise NotIndicated
    made = Touchpoint.objects.create(
        patient=patient,
        at=now,
        kind="offer",
        direction=Touchpoint.Direction.OUT,
        purpose=Purpose.SERVICE,
        outcome=outcome,
        note=service.name,
        user_id=user_id(by),
    )
    _noted(word, "offer_step", by, now)
    return made


def _noted(word: Indication, deed: str, by: Actor, now: datetime) -> None:
    record(
        by=by, deed=deed, now=now, object_kind="indication", object_id=word.pk, patient_id=word.patient_id,
        fields=("kind", "reason", "service"),
    )  # fmt: skip
