"""Conversations of the last days: taken and answered by the product's own actions, as a provider and a person would.

What waits is as old as the clock of the inbox should show at the first look; what was answered lies in its history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db.models import Exists, F, OuterRef, QuerySet

from messaging import actions as messaging
from messaging.actions.compose import client_id_of
from messaging.models import Message, Reply
from messaging.models.outbox import State
from messaging.queries.asked import owners_of
from patients.models import Visit
from staff.access import Actor
from staff.models import User

NEWEST, CANDIDATES = 30, 400  # of the newest one at random; where none fits, the next one that does
HOUR = timedelta(hours=1)
REMINDED, BOOKED, ASKED = ("reminder_24h", "reminder_3d", "confirmation"), ("confirmation",), ("feedback",)
ANY = ("recall", "no_next", "first_visit", "reminder_2h")


@dataclass(frozen=True)
class Line:
    """What somebody wrote in answer to one of `to`, `ago` before now; who answered after `after` seconds, and with what.

    Without `after` it waits, unless the machine settles it. `family`: from a phone of several people.
    """

    text: str
    ago: timedelta
    to: tuple[str, ...]
    after: int = 0
    answer: str = ""
    family: bool = False


TALK = (  # oldest first
    Line("Сколько стоит повторный приём?", HOUR * 97, ANY, 44, "Здравствуйте! 1 800 ₽, если со дня приёма не прошёл месяц."),
    Line("5", HOUR * 76, ASKED),
    Line("Спасибо врачу, всё подробно объяснила!", HOUR * 74, ANY, 38, "Спасибо за тёплые слова, передадим."),
    Line("Отпишите меня от рассылки", HOUR * 52, ANY),
    Line("4", HOUR * 50, ASKED),
    Line("Можно прийти на 15 минут позже?", HOUR * 29, ANY, 71, "Да, врач вас дождётся."),
    Line("Нужно ли что-то взять с собой?", HOUR * 27, ANY, 52, "Паспорт и прошлые анализы, если они есть."),
    Line("А по субботам вы работаете?", HOUR * 5, ANY, 340, "Да, по субботам с 9:00 до 15:00."),
    Line("Да, буду", HOUR * 3, REMINDED),
    Line("1", HOUR * 2, REMINDED),
    Line("👍", HOUR, REMINDED),
    Line("Перед анализом можно завтракать?", timedelta(minutes=3), REMINDED),
    Line("2. Ждала сорок минут, и никто не извинился", timedelta(seconds=100), ASKED),
    Line("Да", timedelta(seconds=75), (*REMINDED, *ANY), family=True),
    Line("Не смогу прийти, заболел ребёнок. Есть время на следующей неделе?", timedelta(seconds=30), REMINDED),
)  # fmt: skip


def tell_replies(*, seed: int, now: datetime) -> int:
    """Returns the number of conversations. `now`: the moment itself, not the one at which the filling began."""
    random = Random(seed)  # noqa: S311 - a tale, no secret
    person = User.objects.filter(role="administrator").select_related("branch").order_by("id").first()
    if person is None:
        return 0
    by = Actor(kind="user", id=person.pk, name=person.full_name, role=person.role, branch_id=person.branch_id)
    spoken: set[str] = set()
    for number, line in enumerate(TALK):
        asked = _asked(line, random, spoken, now - line.ago, person.branch_id)
        if asked is not None:
            spoken.add(asked.address)
            _told(line, asked, f"demo:{number}", now - line.ago, by)
    return len(spoken)


def _asked(line: Line, random: Random, spoken: set[str], at: datetime, branch_id: int | None) -> Message | None:
    """A message that can be answered so: the last one to its address, and of the owners that the line speaks of."""
    found = list(_last_ones(line, at, branch_id)[:CANDIDATES])
    near = found[:NEWEST]
    random.shuffle(near)
    return next((row for row in near + found[NEWEST:] if row.address not in spoken and _fits(line, row)), None)


def _last_ones(line: Line, at: datetime, branch_id: int | None) -> QuerySet[Message]:
    later = Message.objects.filter(address=OuterRef("address"), id__gt=OuterRef("id"))
    rows = Message.objects.filter(
        transport="sms", automation__in=line.to, state=State.DELIVERED, sent_at__lt=at - timedelta(minutes=3)
    ).exclude(Exists(later))
    rows = rows.filter(patient__branch=branch_id) if branch_id else rows
    if line.to == REMINDED:
        open_ = {
            "visit__status": Visit.Status.SCHEDULED,
            "visit__confirmed_at": None,
            "visit__start_at__gt": at + HOUR * 6,
        }
        rows = rows.filter(**open_, about_at=F("visit__start_at"))
    return rows.select_related("visit", "patient").order_by("-sent_at", "-id")


def _fits(line: Line, row: Message) -> bool:
    return (len(owners_of("sms", row.address)) > 1) == line.family


def _told(line: Line, asked: Message, event: str, at: datetime, by: Actor) -> None:
    reply = messaging.take_reply(
        transport="sms", event_id=event, address=asked.address, text=line.text, received_at=at, now=at
    )
    if line.after and reply.patient is not None:
        then = at + timedelta(seconds=line.after)
        messaging.answer_reply(reply=reply, patient=reply.patient, text=line.answer, by=by, now=then)
    for row in _said_back(reply):
        _arrived(row)


def _said_back(reply: Reply) -> Iterator[Message]:
    """What was said to it, by a person or by the machine, and lies in the past: no worker has to carry it now."""
    since = Message.objects.filter(transport=reply.transport, address=reply.address, created_at__gte=reply.received_at)
    yield from since.filter(state=State.QUEUED, automation="")


def _arrived(row: Message) -> None:
    row.state, row.attempt, row.client_id = State.DELIVERED, 1, client_id_of(row.dedupe_key)
    row.sent_at = row.created_at + timedelta(seconds=3)
    row.save(update_fields=["state", "attempt", "client_id", "sent_at"])
