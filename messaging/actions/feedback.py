"""A score of a visit: a touchpoint of the patient; a low one freezes advertising and calls a manager at once (R60)."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from messaging.actions.alarm import tell_managers
from messaging.actions.policy import hold_promotions
from messaging.models import PromotionHold, Reply
from patients import actions as patients
from patients.models import Touchpoint, Visit, WorkItem
from patients.models.contact import Purpose
from staff.access import Actor

LOW = 3  # of 5: from here down somebody is unhappy


def note_score(*, reply: Reply, visit: Visit, score: int, by: Actor, now: datetime) -> None:
    """`score` 1 to 5. Within the transaction of the answer."""
    Touchpoint.objects.get_or_create(
        dedupe_key=f"reply:{reply.pk}",
        defaults={
            "patient_id": visit.patient_id,
            "visit": visit,
            "at": reply.received_at,
            "kind": "feedback",
            "direction": Touchpoint.Direction.IN,
            "transport": reply.transport,
            "purpose": Purpose.FEEDBACK,
            "outcome": str(score),
            "note": reply.text,
        },
    )
    if score <= LOW:
        _unhappy(visit, score, by, now)


def _unhappy(visit: Visit, score: int, by: Actor, now: datetime) -> None:
    person = visit.patient.canonical or visit.patient
    key = f"score:visit:{visit.pk}"
    hold_promotions(patient=person, reason=PromotionHold.Reason.LOW_SCORE, key=key, by=by, now=now)
    with override(settings.LANGUAGE_CODE):
        note = _("Scored the visit %(score)d of 5") % {"score": score}
    patients.open_work_item(
        kind=WorkItem.Kind.UNHAPPY,
        due_at=now,
        patient=visit.patient,
        visit=visit,
        note=note,
        dedupe_key=f"unhappy:{visit.pk}",
        by=by,
        now=now,
    )
    # Names nobody: a phone lies on a table. The link asks for a login.
    words = {"score": score, "branch": visit.branch.name, "url": f"{settings.PUBLIC_URL}/patients/{person.pk}/"}
    tell_managers(
        key=f"alert:{key}",
        subject=gettext_lazy("Unhappy patient"),
        text=gettext_lazy("Unhappy patient: %(score)d of 5, %(branch)s. Call today: %(url)s"),
        values=words,
        now=now,
        branch_id=visit.branch_id,
    )
