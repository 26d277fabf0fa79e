"""The demo's inbox: conversations that the product's own actions took, of every kind, the same for the same seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction

from demo import actions
from messaging.automations import registered
from messaging.models import Message, PromotionHold, Reply
from messaging.models.outbox import State
from messaging.queries.automations import automation_rows
from messaging.queries.inbox import inbox_page, speed
from patients.models import Visit, WorkItem
from staff.middleware import actor_of
from staff.models import User

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # noon in the first branch
pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic(settings, tmp_path: Path, monkeypatch) -> datetime:
    settings.DEMO = True
    monkeypatch.setenv("DEMO_PASSWORD", "demo-pass-2026")
    actions.fill(seed=7, patients=900, now=NOW, say=lambda _line: None)
    actions.people_of_the_demo(now=NOW, file=tmp_path / "logins.json")
    actions.tell_outreach(seed=7, now=NOW)
    return NOW


def told(now: datetime) -> list[tuple[str, str, str]]:
    """Who wrote what, of a telling that is taken back."""
    with transaction.atomic():
        actions.tell_replies(seed=7, now=now)
        rows = list(Reply.objects.order_by("id").values_list("address", "text", "meaning"))
        transaction.set_rollback(True)
    return rows


def test_a_dozen_conversations_of_every_kind_with_a_running_clock(clinic, rf):
    assert told(clinic) == told(clinic)
    assert actions.tell_replies(seed=7, now=clinic) >= 12
    administrator = User.objects.get(role="administrator")
    by = actor_of(administrator, rf.get("/"))

    page = inbox_page(by=by)
    waiting = {reply.text: reply for reply in page.rows}
    assert page.rows[0].meaning == Reply.Meaning.CANCEL and page.oldest == clinic - timedelta(minutes=3)
    family = waiting["Да"]
    assert len(family.people) > 1 and family.patient is None and not family.applied
    complaint = next(reply for text, reply in waiting.items() if text.startswith("2."))
    assert PromotionHold.objects.filter(patient=complaint.patient).exists()
    assert WorkItem.objects.filter(kind="unhappy", patient=complaint.patient).exists()

    settled = Reply.objects.filter(applied=True, answered_by=None)
    assert {"confirm", "stop", "score"} <= set(settled.values_list("meaning", flat=True))
    confirmed = settled.filter(meaning="confirm").values("answers__visit")
    assert all(visit.confirmed_at for visit in Visit.objects.filter(pk__in=confirmed))
    quick = speed(by=by, now=clinic)
    assert 0 < quick.within_60 < quick.within_120 < quick.all
    answers = Message.objects.filter(dedupe_key__startswith="answer:")
    assert answers.count() == Reply.objects.filter(answered_by=administrator).count() >= 4
    assert not answers.exclude(state=State.DELIVERED).exists()


def test_a_month_of_automations_is_believable(clinic):
    rows = {row.automation.code: row for row in automation_rows(registered(), now=clinic)}
    for code in ("confirmation", "reminder_24h", "reminder_2h", "feedback", "recall", "win_back"):
        row = rows[code]
        assert row.sent > 10 and row.due == row.sent + row.waiting + row.unknown + row.not_sent, code
    assert rows["reminder_24h"].sent > rows["reminder_24h"].came > rows["reminder_24h"].sent / 2
    assert 0 < rows["reminder_24h"].confirmed < rows["reminder_24h"].sent
    assert rows["recall"].came < rows["recall"].sent and rows["recall"].cost > 0
