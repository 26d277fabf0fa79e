"""What one real patient would get from a text, and whether he would get it at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from messaging.queries.policy import may_contact
from messaging.queries.texts import composed
from messaging.queries.values import spoken_time
from messaging.rules.automation import Automation
from messaging.rules.placeholders import BadTemplate, MissingValue, check, examples
from messaging.rules.policy import Answer
from messaging.rules.segments import Segments, segments
from messaging.rules.texts import Wording
from patients.models import Patient, Visit
from patients.queries.scope import visible_patients
from staff.access import Actor
from staff.models import AuditEntry, Clinic


@dataclass(frozen=True)
class Shown:
    """A finished text. `missing`: the placeholder without a value because of which nothing would go out."""

    text: str = ""
    subject: str = ""
    size: Segments | None = None
    missing: str = ""


def shown(words: Wording, values: dict[str, str], transport: str, language: str, *, advertises: bool) -> Shown | None:
    """None for what is outside of the closed language."""
    try:
        check(words.whole(transport))
        text, subject = composed(words, values, transport, language, advertises=advertises)
    except BadTemplate:
        return None
    except MissingValue as error:
        return Shown(missing=f"{{{error}}}")
    return Shown(text, subject, segments(text))


def example_values(language: str, words: Wording) -> dict[str, str]:
    """Of nobody: the clinic's own name, the rest made up; {link} only where there is one."""
    values = examples(language)
    clinic = Clinic.objects.filter(pk=1).values_list("name", flat=True).first()
    values["clinic"] = clinic or values["clinic"]
    return values if words.link else {name: value for name, value in values.items() if name != "link"}


def patient_to_preview(pk: int, by: Actor) -> Patient | None:
    """A canonical patient whom `by` may see."""
    return visible_patients(by).select_related("branch").filter(pk=pk, merged_into=None).first()


def values_for(
    patient: Patient, automation: Automation, words: Wording, language: str, now: datetime
) -> dict[str, str]:
    """As they would be put in now; the time is that of the next booked visit. Links stay examples."""
    values = {name: value for name, value in example_values(language, words).items() if name in LINKS}
    visit = None
    if automation.about_time:
        of_his = Visit.objects.filter(Q(patient=patient) | Q(patient__canonical=patient), status=Visit.Status.SCHEDULED)
        visit = of_his.filter(start_at__gt=now).select_related("branch").order_by("start_at").first()
    branch = visit.branch if visit else patient.branch
    clinic = Clinic.objects.values_list("name", flat=True).get(pk=1) or branch.name
    values |= {"clinic": clinic, "first_name": patient.first_name, "branch": branch.name}
    values |= {"address": branch.address, "phone": branch.phone}
    return values | (spoken_time(visit.start_at, branch.tz, language) if visit else {})


LINKS = ("link", "unsubscribe")


def policy_for(patient: Patient, automation: Automation, transport: str, now: datetime) -> Answer:
    """What the contact policy would say just now. An advertisement would also need today's approval."""
    return may_contact(patient=patient, purpose=automation.purpose, transport=transport, now=now)


def was_noted(by: Actor, patient_id: int, since: datetime) -> bool:
    """Whether this person's look at this patient stands in the audit log already: a preview is drawn at every key."""
    looks = AuditEntry.objects.filter(patient_id=patient_id, deed="preview_message", at__gte=since)
    return looks.filter(actor_kind=by.kind, actor_id=by.id).exists()
