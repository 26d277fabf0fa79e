"""Four days in the life of a clinic by simulated minutes: people book late, move, cancel and come; what leaves is
never stale, never at night, never twice, and nobody who stayed put is forgotten."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from followup.actions import follow_up
from messaging import actions, automations
from messaging.actions.plan import plan_all
from messaging.models import Message
from messaging.rules.quiet import is_quiet
from patients.models import Visit
from tests import make
from tests.messaging.outbox import send

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 3, 27, 3, 0, tzinfo=UTC)  # over the night in which Berlin's clocks change
H = timedelta(hours=1)
ZONES = ["Europe/Moscow", "Europe/Berlin", "Asia/Kamchatka", "Asia/Almaty"]


class Story:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.branches = [make.branch(tz=tz) for tz in ZONES]
        self.quiet_ones: set[int] = set()  # visits that nobody touched
        self.told: list[tuple[Message, datetime]] = []

    def book(self, now: datetime) -> None:
        branch = self.random.choice(self.branches)
        patient = make.patient(phone=f"+7916{self.random.randrange(10**7):07}", branch=branch)
        start = now + self.random.choice([2, 5, 20, 26, 40, 60]) * H + self.random.randrange(60) * timedelta(minutes=1)
        visit = make.visit(patient, start=start, status="scheduled", booked_at=now, branch=branch)
        self.quiet_ones.add(visit.pk)
        follow_up(Visit.objects.filter(pk=visit.pk), now=now)

    def disturb(self, now: datetime) -> None:
        ahead = list(Visit.objects.filter(status="scheduled", start_at__gt=now))
        if not ahead:
            return
        visit = self.random.choice(ahead)
        self.quiet_ones.discard(visit.pk)
        changes = self.random.choice(
            [
                {"status": "cancelled_patient", "cancelled_at": now},
                {"start_at": visit.start_at + 25 * H, "end_at": visit.end_at + 25 * H},
                {"start_at": now + 3 * H, "end_at": now + 4 * H},
            ]
        )
        Visit.objects.filter(pk=visit.pk).update(**changes)
        follow_up(Visit.objects.filter(pk=visit.pk), now=now)

    def tick(self, now: datetime) -> None:
        Visit.objects.filter(status="scheduled", start_at__lte=now).update(status="completed")
        actions.reap(now=now)
        of_visits = [one for one in automations.by_clock(automations.registered()) if one.about_time]
        plan_all(automations=of_visits, now=now)
        send(now=now, owner=f"{now:%d%H%M}-")
        for row in Message.objects.filter(state="sent").exclude(pk__in=[row.pk for row, _at in self.told]):
            Message.objects.filter(pk=row.pk).update(sent_at=now)  # the story's clock, not the database's
            self.check(row, now)
            self.told.append((row, now))

    def check(self, row: Message, now: datetime) -> None:
        visit = Visit.objects.get(pk=row.visit_id)
        assert (visit.status, visit.start_at) == ("scheduled", row.about_at), "a stale message left"
        awake = row.automation == "confirmation" and now - visit.booked_at < timedelta(minutes=15)
        assert row.about_at > now and (awake or not is_quiet(now, row.tz)), "left at night or too late"
        before = [(old, at) for old, at in self.told if old.visit_id == row.visit_id]
        if before and before[-1][0].about_at == row.about_at:
            assert now - before[-1][1] >= 3 * H, "two messages about one thing in a row"
        same = [old for old, _at in before if (old.automation, old.about_at) == (row.automation, row.about_at)]
        assert not same or any(old.about_at != row.about_at for old, _at in before), "the same reminder twice"


@pytest.mark.parametrize("seed", [1, 2])
def test_four_days_of_a_clinic(settings, seed):
    settings.DEMO, settings.SMS_GATEWAY_URL = True, ""
    story, now = Story(seed), BEGIN
    while now < BEGIN + 96 * H:
        if now < BEGIN + 60 * H and story.random.random() < 0.25:
            story.book(now)
        if story.random.random() < 0.12:
            story.disturb(now)
        story.tick(now)
        now += timedelta(minutes=30)
    heard = {row.visit_id for row, _at in story.told}
    for visit in Visit.objects.filter(pk__in=story.quiet_ones, start_at__lt=now).select_related("branch"):
        whole_day = visit.start_at - visit.booked_at > 13 * H  # longer than any night
        assert visit.pk in heard or not whole_day, "somebody was forgotten"
    ends = set(Message.objects.values_list("state", flat=True))
    assert ends <= {"sent", "skipped", "expired", "queued"}
    assert not Message.objects.exclude(state__in=("sent", "queued")).filter(reason="").exists()
