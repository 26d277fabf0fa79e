"""From facts to rows of the outbox: one INSERT … SELECT an automation, whatever the number of patients."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BigIntegerField, CharField, DateTimeField, Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat

from core.clock import add_months
from messaging.models import AutomationSetting, Message
from messaging.models.outbox import State
from messaging.queries.reach import choice_sql, reachable_sql
from messaging.queries.verdict import told_otherwise
from messaging.rules.automation import Automation
from messaging.rules.quiet import opening
from messaging.transports import configured
from patients.models import Patient, Visit
from staff.models import User

GROWN_UP_MONTHS = 18 * 12
INSERT = """
INSERT INTO messaging_message (patient_id, visit_id, about_at, expires_at, dedupe_key, tz, language, transport, address,
    automation, purpose, template, state, created_at, not_before,
    variables, subject, text, reason, detail, owner, provider_id, attempt, checks)
WITH due (patient_id, visit_id, about_at, expires_at, dedupe_key, branch_tz) AS ({due}),{reached}
SELECT patient_id, visit_id, about_at, expires_at, dedupe_key, tz, language, {transport}, {address},
    %s, %s, %s, %s, %s, %s, '{{}}', '', '', '', '', '', '', 0, 0
FROM reached WHERE patient_id IS NOT NULL ON CONFLICT DO NOTHING"""


def _key(automation: Automation, of_visit: bool) -> Concat:
    """code:part:part…; for a visit also how often its patient was told another time (moved there and back)."""
    parts: list[Any] = [Value(automation.code)]
    for part in automation.once_per:
        parts += [Value(":"), Cast(part, CharField())]
    if of_visit:
        parts += [Value(":"), Cast(Coalesce(told_otherwise(), Value(0)), CharField())]
    return Concat(*parts, output_field=CharField())


def _due(automation: Automation, subjects: QuerySet[Any]) -> QuerySet[Any]:
    """The six columns of the CTE `due`, without those that were planned before."""
    of_visit, of_patient = subjects.model is Visit, subjects.model is Patient
    has_branch = any(field.name == "branch" for field in subjects.model._meta.fields)
    due: QuerySet[Any] = (
        subjects.order_by()
        .annotate(m_key=_key(automation, of_visit))
        .exclude(Exists(Message.objects.filter(dedupe_key=OuterRef("m_key"))))
        .annotate(m_until=automation.until)
        .values_list(
            F("pk" if of_patient else "patient_id"),
            F("pk") if of_visit else Cast(Value(None), BigIntegerField()),
            F("start_at") if of_visit else Cast(Value(None), DateTimeField()),
            "m_until",
            "m_key",
            F("branch__tz" if has_branch else "patient__branch__tz"),
        )
    )
    return due


@transaction.atomic
def plan(*, automation: Automation, now: datetime, only: QuerySet[Any] | None = None) -> int:
    """Queue what is due. `only` narrows it to some subjects. Planning twice adds nothing (`dedupe_key`).

    Nobody is left out here for want of an address or consent: such a row is skipped with its reason when it is
    claimed, so that due always equals what went out plus what did not, each with its why. Returns the number of rows.
    """
    if AutomationSetting.objects.filter(code=automation.code, is_on=False).exists():
        return 0
    subjects = automation.who(now)
    if only is not None:
        subjects = subjects.filter(pk__in=only.order_by().values("pk"))
    due, params = _due(automation, subjects).query.sql_with_params()
    order = configured()
    transport, address = choice_sql(order, of_address=False), choice_sql(order, of_address=True)
    sql = INSERT.format(due=due, reached=reachable_sql(), transport=transport, address=address)
    grown_up = add_months(now.date(), -GROWN_UP_MONTHS)
    at = connection.ops.adapt_datetimefield_value(now)
    codes = (automation.code, automation.purpose, automation.template, State.QUEUED.value)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, grown_up.isoformat(), settings.LANGUAGE_CODE, *codes, at, at])
        return int(cursor.rowcount)


def plan_all(*, automations: Sequence[Automation], now: datetime) -> int:
    """Every automation, in the order of declaration. Returns the number of new rows."""
    return sum(plan(automation=automation, now=now) for automation in automations)


@transaction.atomic
def queue_message(
    *,
    dedupe_key: str,
    purpose: str,
    transport: str,
    address: str,
    text: str,
    tz: str,
    now: datetime,
    expires_at: datetime,
    patient: Patient | None = None,
    user: User | None = None,
    subject: str = "",
    language: str = "ru",
    urgent: bool = False,
) -> Message:
    """One finished message to a patient or a staff user. The same `dedupe_key` again returns the row that is there.

    `urgent` = may go out in quiet hours (a manager's alarm); otherwise it waits for the morning of `tz`.
    """
    row, _made = Message.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            "purpose": purpose,
            "transport": transport,
            "address": address,
            "text": text,
            "subject": subject,
            "language": language,
            "tz": "" if urgent else tz,
            "created_at": now,
            "not_before": now if urgent else opening(now, tz),
            "expires_at": expires_at,
            "patient": patient,
            "user": user,
        },
    )
    return row
