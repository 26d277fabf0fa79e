"""A month of messages behind the demo clinic: planned by the product's own automations, ended as a month would end them.

Nothing here is sent: the rows are written as history, each with its reason, so that the pages have something to show.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from messaging import actions as messaging
from messaging import automations
from messaging.actions.compose import client_id_of
from messaging.models import Message, TransportSetting
from messaging.models.outbox import Basis, Reason, State
from messaging.queries.due import clinic_day, count_due
from messaging.queries.texts import Texts, finished, template_rows, texts_for
from messaging.queries.values import drafts_of
from messaging.rules.automation import Automation
from messaging.rules.cost import size_and_cost
from messaging.rules.placeholders import MissingValue
from messaging.rules.quiet import opening
from patients.models import Consent, PatientPhone, Visit
from staff.access import Actor
from staff.models import Clinic, User

DAYS = 30
DAY = timedelta(days=1)
PRICES = {"sms": 420, "email": 12}  # kopecks: of a part, of a letter
APPROVED = {"birthday": {28: 7, 21: 7, 14: 7, 7: 6}, "win_back": {20: 3}}  # {days ago: for how many days}
LEADS = {"confirmation": timedelta(0), "reminder_24h": timedelta(hours=24), "reminder_2h": timedelta(hours=2)}
ENDS = [(State.DELIVERED, ""), (State.SENT, ""), (State.UNDELIVERED, ""), (State.REFUSED, Reason.BLOCKED)]
ODDS = (920, 48, 24, 8)
FIELDS = (
    "state",
    "attempt",
    "reason",
    "text",
    "subject",
    "variables",
    "client_id",
    "sent_at",
    "segments",
    "cost",
    "basis",
    "consent",
)


@dataclass(frozen=True)
class Month:
    """What the history is told with. `consents`: {patient: the line that lets us advertise by SMS}; `phones`: of each."""

    random: Random
    now: datetime
    consents: dict[int, int]
    phones: dict[int, str]


def tell_outreach(*, seed: int, now: datetime) -> int:
    """Returns the number of messages. A manager of the demo approves what advertises."""
    phones = dict(PatientPhone.objects.order_by("-position", "-id").values_list("patient_id", "number"))
    month = Month(Random(seed), now, _consents(), phones)  # noqa: S311 - a tale, no secret
    for transport, price in PRICES.items():
        TransportSetting.objects.update_or_create(transport=transport, defaults={"price": price, "updated_at": now})
    Clinic.objects.filter(pk=1).update(went_live_at=now - DAY * (DAYS + 5))  # only while the history is told
    for back in range(DAYS, 0, -1):
        _day(month, back)
    Clinic.objects.filter(pk=1).update(went_live_at=now)
    return Message.objects.count()


def _consents() -> dict[int, int]:
    """The newest word of each patient, where it says yes."""
    said = Consent.objects.filter(purpose="marketing").order_by("at", "id").values_list("patient_id", "id", "given")
    newest = {patient: (pk, given) for patient, pk, given in said}
    return {patient: pk for patient, (pk, given) in newest.items() if given}


def _day(month: Month, back: int) -> None:
    """What the automations planned on that day, with the approvals as they fell; and what became of it."""
    moment = month.now - DAY * back
    Message.objects.bulk_create(_of_visits(month, moment), ignore_conflicts=True)
    for one in automations.by_clock(automations.registered()):
        if back in APPROVED.get(one.code, {}):
            _approve(one, moment, APPROVED[one.code][back])
        if not one.about_time:
            messaging.plan(automation=one, now=moment)
    ids = list(Message.objects.filter(state=State.QUEUED, created_at__lte=moment).values_list("pk", flat=True))
    _end(month, ids)


def _approve(automation: Automation, moment: datetime, days: int) -> None:
    manager = User.objects.filter(role="manager").order_by("id").first()
    if manager is None:
        return
    today = clinic_day(moment)
    messaging.approve(
        subject=automation.subject,
        texts={f"{row.transport}:{row.language}": row.wording for row in template_rows([automation.template])},
        audience=count_due(automation, moment),
        first_day=today,
        last_day=today + DAY * (days - 1),
        by=Actor(kind="user", id=manager.pk, name=manager.full_name, role=manager.role),
        now=moment,
    )


def _of_visits(month: Month, until: datetime) -> Iterable[Message]:
    """Confirmations and reminders that fell into the day before `until`."""
    near = Visit.objects.filter(start_at__gt=until - DAY, booked_at__lte=until, start_at__lte=until + DAY * 60)
    for visit in near.select_related("branch", "patient").order_by("booked_at", "id"):
        for code, lead in LEADS.items():
            at = visit.start_at - lead if lead else visit.booked_at
            gone = visit.cancelled_at is not None and visit.cancelled_at <= at
            if until - DAY < at <= until and visit.booked_at <= at and at < visit.start_at and not gone:
                yield _row(month, visit, code, at)


def _row(month: Month, visit: Visit, code: str, at: datetime) -> Message:
    phone = month.phones.get(visit.patient_id, "")
    return Message(
        patient=visit.patient, visit=visit, about_at=visit.start_at, automation=code, template=code, purpose="service",
        transport="sms" if phone else "email", address=phone or visit.patient.email, tz=visit.branch.tz, created_at=at,
        not_before=at, expires_at=visit.start_at, dedupe_key=f"{code}:{visit.pk}:{int(visit.start_at.timestamp())}:0",
    )  # fmt: skip


def _end(month: Month, ids: list[int]) -> None:
    """Texts as they would have been put together; then delivered, mostly."""
    full = {row.pk: row for row in Message.objects.filter(pk__in=ids)}
    for draft in drafts_of(ids):
        full[draft.pk].variables = draft.variables
    texts = texts_for({row.template for row in full.values()}, {row.approval_id for row in full.values()})
    for row in full.values():
        _finish(month, row, texts)
    # Far quicker than an UPDATE with a CASE for each column.
    Message.objects.bulk_create(full.values(), update_conflicts=True, unique_fields=["id"], update_fields=FIELDS)


def _finish(month: Month, row: Message, texts: Texts) -> None:
    advertises, consent = row.approval_id is not None, month.consents.get(row.patient_id or 0)
    refused = Reason.NO_ADDRESS if not row.address else ""
    refused = refused or (Reason.NO_CONSENT if advertises and consent is None else "")
    try:
        text, subject = finished(row, texts)
    except MissingValue:
        refused, text, subject = Reason.NO_VALUE, "", ""
    if refused or (row.stops_when_booked and month.random.random() < 0.12):
        row.state, row.reason = State.SKIPPED, refused or Reason.GOAL
        return
    [(row.state, row.reason)] = month.random.choices(ENDS, ODDS)
    row.attempt, row.text, row.subject, row.client_id = 1, text, subject, client_id_of(row.dedupe_key)
    row.sent_at = opening(row.created_at + timedelta(seconds=month.random.randint(5, 90)), row.tz)
    row.segments, row.cost = size_and_cost(row.transport, text, PRICES.get(row.transport, 0))
    row.basis, row.consent_id = (Basis.CONSENT, consent) if advertises else (Basis.SERVICE, None)
