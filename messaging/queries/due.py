"""Who is due for an automation now: one SELECT, whatever the number of attempts and patients."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, CharField, DateTimeField, Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat

from core.clock import local_date
from messaging.models import Approval, AutomationSetting, Message
from messaging.queries.verdict import told_otherwise
from messaging.rules.automation import Automation
from patients.models import Patient, Visit
from staff.models import Clinic


def clinic_day(now: datetime) -> date:
    """Today in the clinic's zone: approvals are given for its days."""
    return local_date(now, Clinic.objects.values_list("tz", flat=True).get(pk=1))


def approval_of(subject: str, day: date) -> Approval | None:
    """The newest approval that holds on that day."""
    holding = Approval.objects.filter(subject=subject, first_day__lte=day, last_day__gte=day, withdrawn_at=None)
    return holding.select_related("approved_by").order_by("-id").first()


def due_sql(
    automation: Automation, now: datetime, minutes: int | None, only: QuerySet[Any] | None = None
) -> tuple[str, list[Any]]:
    """SQL and parameters of (patient_id, visit_id, about_at, expires_at, dedupe_key, branch_tz), not planned before.

    `minutes`: the delay that the clinic chose.
    """
    parts: list[str] = []
    params: list[Any] = []
    for attempt, everybody in automation.due(now, minutes):
        subjects = everybody if only is None else everybody.filter(pk__in=only.order_by().values("pk"))
        sql, values = _columns(automation, attempt, subjects, now).query.sql_with_params()
        parts.append(sql)
        params += values
    return " UNION ALL ".join(parts), params


def setting_of(code: str) -> AutomationSetting:
    """As it is by default (not saved) where nobody ever decided."""
    return AutomationSetting.objects.filter(code=code).first() or AutomationSetting(code=code)


def count_due(automation: Automation, now: datetime) -> int:
    """How many would be planned now."""
    sql, params = due_sql(automation, now, setting_of(automation.code).delay_minutes)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(DISTINCT d.k) FROM (SELECT m_key AS k FROM ({sql}) s) d", params)  # noqa: S608
        return int(cursor.fetchone()[0])


def _columns(automation: Automation, attempt: int, subjects: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    of_visit, of_patient = subjects.model is Visit, subjects.model is Patient
    has_branch = any(field.name == "branch" for field in subjects.model._meta.fields)
    until = (
        Value(now + automation.until, DateTimeField()) if isinstance(automation.until, timedelta) else automation.until
    )
    nothing = Cast(Value(None), DateTimeField())
    due: QuerySet[Any] = (
        subjects.order_by()
        .annotate(m_key=_key(automation, attempt, of_visit))
        .exclude(Exists(Message.objects.filter(dedupe_key=OuterRef("m_key"))))
        .annotate(
            m_patient=F("pk" if of_patient else "patient_id"),
            m_visit=F("pk") if of_visit else Cast(Value(None), BigIntegerField()),
            m_about=F("start_at") if of_visit and automation.about_time else nothing,
            m_until=until,
            m_tz=F("branch__tz" if has_branch else "patient__branch__tz"),
        )
        .values_list("m_patient", "m_visit", "m_about", "m_until", "m_key", "m_tz")
    )
    return due


def _key(automation: Automation, attempt: int, of_visit: bool) -> Concat:
    """code:part:part…; what is told of a visit's time counts how often its patient was told another (there and back)."""
    parts: list[Any] = [Value(automation.code)]
    for part in automation.once_per:
        parts += [Value(":"), Cast(part, CharField())]
    if of_visit and automation.about_time:
        parts += [Value(":"), Cast(Coalesce(told_otherwise(), Value(0)), CharField())]
    if automation.attempts > 1:
        parts += [Value(f":{attempt}")]
    return Concat(*parts, output_field=CharField())
