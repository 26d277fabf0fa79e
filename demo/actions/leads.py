"""Enquiries that wait as the clock of the queue should show at the first look, what was offered, and what advertising did."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import transaction
from django.db.models import F

from core.clock import local_date
from funnel.actions.incoming import Enquiry, take_lead
from funnel.actions.stage_rules import set_stage_rules
from funnel.models import Alternative, Lead, Traffic
from patients.models import Channel
from staff.access import SYSTEM
from staff.models import Branch, Source, User

OFFERED_DAYS, TRAFFIC_DAYS = 30, 180
WAITING = (  # kind, name, phone, what is asked, how long ago, branch
    ("form", "Ольга", "+70008900001", "Можно ли сдать анализы натощак завтра утром?", timedelta(minutes=37), 0),
    ("messenger", "Тимур", "+70008900002", "Сколько стоит приём кардиолога?", timedelta(minutes=6), 1),
    ("call", "", "+70008900003", "", timedelta(seconds=160), 0),
    ("form", "Марина Юрьевна", "+70008900004", "Ребёнок 4 года, кашель неделю. Есть время сегодня?", timedelta(seconds=85), 0),
    ("email", "Павел", "", "Пришлите, пожалуйста, цены на МРТ", timedelta(seconds=50), None),
    ("form", "Светлана", "+70008900005", "Хочу записаться к дерматологу на субботу", timedelta(seconds=20), 1),
)  # fmt: skip
RULES: dict[str, dict[str, Any]] = {
    "lead": {"role": "administrator", "limit_minutes": 15, "duty": "Ответить за две минуты, узнать, что беспокоит."},
    "contacted": {"role": "administrator", "limit_minutes": 2880, "duty": "Предложить два времени и записать."},
    "booked": {"role": "administrator", "limit_minutes": None, "duty": "Подтвердить визит накануне."},
}


@transaction.atomic
def tell_leads(*, seed: int, now: datetime) -> int:
    """How many wait. Once: call it when the clinic has just been filled and its people have been made."""
    random = Random(seed + 13)  # noqa: S311 - a tale, no secret
    set_stage_rules(rules=RULES, by=SYSTEM, now=now)
    _answered_by_people()
    _offers(random, now)
    _traffic(random, now)
    branches = list(Branch.objects.order_by("id"))
    for kind, name, phone, text, ago, branch in WAITING:
        mail = "" if phone else "asks@example.invalid"
        where = branches[branch] if branch is not None else None
        enquiry = Enquiry(
            kind=kind, created_at=now - ago, name=name, phone=phone, email=mail, text=text, branch=where, door=kind
        )  # fmt: skip
        take_lead(enquiry=enquiry, by=SYSTEM, now=now)
    return len(WAITING)


def _answered_by_people() -> None:
    """By the desk of the first branch and by the curator, in turn."""
    answered = Lead.objects.exclude(first_response_at=None).filter(first_response_by=None)
    for rest, role in enumerate(("administrator", "curator")):
        who = User.objects.filter(role=role).first()
        answered.alias(turn=F("id") % 2).filter(turn=rest).update(first_response_by=who)


def _offers(random: Random, now: datetime) -> None:
    """Another day or doctor for some of the last weeks: booked after that is a lead saved."""
    leads = Lead.objects.filter(created_at__gte=now - timedelta(days=OFFERED_DAYS)).exclude(first_response_at=None)
    rows = []
    for lead in leads.order_by("id"):
        if random.random() < (0.35 if lead.lost_at else 0.12) and (lead.lost_at or lead.stage != "contacted"):
            offered = lead.first_response_at or lead.created_at
            ends = {"declined_at": lead.lost_at} if lead.lost_at else {"accepted_at": lead.stage_at}
            kind = random.choice(Alternative.Kind.values)
            rows.append(Alternative(lead=lead, kind=kind, offered_at=offered, **ends))
    Alternative.objects.bulk_create(rows)


def _traffic(random: Random, now: datetime) -> None:
    """Reach and clicks of what is paid for, by day."""
    source, today = Source.objects.get(code="demo"), local_date(now, "Europe/Moscow")
    Traffic.objects.bulk_create(
        Traffic(
            source=source,
            external_id=f"{channel.external_id}-{n}",
            channel=channel,
            date=today - timedelta(days=n),
            reach=(reach := random.randint(2500, 6000)),
            clicks=reach * random.randint(15, 45) // 1000,
        )
        for channel in Channel.objects.filter(kind="paid", source=source).order_by("id")
        for n in range(1, TRAFFIC_DAYS + 1)
    )
