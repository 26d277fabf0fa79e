"""From facts to rows of the outbox: one INSERT … SELECT an automation, whatever the number of patients."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from messaging.actions.families import tie
from messaging.models import Message
from messaging.models.outbox import State
from messaging.queries.due import approval_of, clinic_day, due_sql, setting_of
from messaging.queries.reach import choice_sql, reachable_params, reachable_sql
from messaging.queries.routes import routes
from messaging.rules.automation import Automation
from messaging.rules.priority import priority_of
from messaging.rules.quiet import opening
from patients.models import Patient
from staff.models import User

INSERT = """
INSERT INTO messaging_message (patient_id, visit_id, about_at, expires_at, dedupe_key, tz, language, transport, address,
    automation, purpose, priority, template, state, created_at, not_before, approval_id, stops_when_booked,
    variables, subject, text, reason, detail, owner, provider_id, basis, attempt, checks, segments, cost)
WITH due (patient_id, visit_id, about_at, expires_at, dedupe_key, branch_tz) AS ({due}),{reached}
SELECT patient_id, visit_id, about_at, expires_at, dedupe_key, tz, language, {transport}, {address},
    %s, %s, %s, %s, %s, %s, %s, %s, %s, '{{}}', '', '', '', '', '', '', '', 0, 0, 0, 0
FROM reached WHERE patient_id IS NOT NULL ON CONFLICT DO NOTHING"""


@transaction.atomic
def plan(*, automation: Automation, now: datetime, only: QuerySet[Any] | None = None) -> int:
    """Queue what is due. `only` narrows it to some subjects. Planning twice adds nothing (`dedupe_key`).

    Nobody is left out here for want of an address or consent: such a row is skipped with its reason when it is
    claimed, so that due always equals what went out plus what did not, each with its why. An automation that advertises
    plans nothing on a day for which no person approved it (38-FZ art. 18 p. 2). Returns the number of rows.
    """
    setting = setting_of(automation.code)
    if not setting.is_on:
        return 0
    approval = approval_of(automation.subject, clinic_day(now)) if automation.advertises else None
    if automation.advertises and approval is None:
        return 0
    due, params = due_sql(automation, now, setting.delay_minutes, only)
    order = [name for name in routes(automation.purpose) if not automation.transports or name in automation.transports]
    transport, address = choice_sql(order, of_address=False), choice_sql(order, of_address=True)
    sql = INSERT.format(due=due, reached=reachable_sql(), transport=transport, address=address)
    at = connection.ops.adapt_datetimefield_value(now)
    codes = (automation.code, automation.purpose, automation.urgency, automation.template, State.QUEUED.value)
    more = (approval.pk if approval else None, automation.stops_when_booked)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, *reachable_params(now), *codes, at, at, *more])
        planned = int(cursor.rowcount)
    if planned:
        tie(automation=automation.code, now=now)
    return planned


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
            "priority": priority_of(purpose),
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
