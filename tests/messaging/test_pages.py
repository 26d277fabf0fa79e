"""The pages "Messages" and "Texts and automations"."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.models import DeliveryEvent, Message
from staff.models import AuditEntry, Clinic
from tests import make
from tests.messaging.outbox import NOON, queued

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plainly(settings):
    settings.REQUIRE_TOTP = False


def signed_in(role: str, **fields) -> Client:
    client = Client()
    client.force_login(make.user(role, **fields), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_outbox_shows_every_state_with_its_reason_and_masks_nothing_it_may_show():
    queued(address="+79161234567")
    queued()
    Message.objects.filter(pk=Message.objects.last().pk).update(state="skipped", reason="visit_moved")
    page = signed_in("manager").get("/messages/", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "the visit was moved" in page.content.decode() and "916 123-45-67" in page.content.decode().replace(
        "\xa0", " "
    )
    marketer = signed_in("marketer").get("/messages/").content.decode().replace("\xa0", " ")
    assert "916 123-45-67" not in marketer


def test_the_number_of_queries_does_not_grow_and_pages_are_keyset():
    client = signed_in("owner")

    def cost() -> int:
        with CaptureQueriesContext(connection) as taken:
            assert client.get("/messages/").status_code == 200
        return len(taken)

    queued()
    cost()  # the first request of a session writes it
    one = cost()
    for _each in range(60):
        queued()
    assert cost() == one < 30
    first = client.get("/messages/")
    after = first.context["page"].after
    second = client.get(f"/messages/?after={after}")
    shown = [row["message"].pk for page in (first, second) for row in page.context["rows"]]
    assert len(shown) == len(set(shown)) == 61
    assert client.get("/messages/?after=x&state=nonsense").status_code == 200


def test_a_branch_sees_its_own_messages_only_and_cannot_resolve_others():
    here, there = make.branch(), make.branch()
    mine, other = queued(make.patient(branch=here)), queued(make.patient(branch=there))
    Message.objects.update(state="unknown")
    client = signed_in("administrator", branch=here)
    assert [row["message"].pk for row in client.get("/messages/").context["rows"]] == [mine.pk]
    assert client.post(f"/messages/{other.pk}/resolve/", {"outcome": "sent"}).status_code == 404
    assert client.post(f"/messages/{mine.pk}/resolve/", {"outcome": "sent"}).status_code == 303
    mine.refresh_from_db()
    assert (mine.state, mine.reason) == ("sent", "by_person") and mine.resolved_by is not None
    assert AuditEntry.objects.get(deed="resolve_messages").object_id == mine.pk


def test_the_switch_is_for_leaders_and_noted():
    assert signed_in("administrator").post("/messages/pause/", {"paused": "1"}).status_code == 403
    assert signed_in("manager").post("/messages/pause/", {"paused": "1"}).status_code == 303
    assert Clinic.objects.get(pk=1).sending_paused
    assert AuditEntry.objects.filter(deed="pause_sending", note="paused").exists()
    assert signed_in("manager").post("/messages/pause/", {"paused": "1", "transport": "pigeon"}).status_code == 404


@pytest.mark.parametrize("address", ["/messages/", "/messages/{pk}/", "/messages/{pk}/proof/"])
def test_times_are_those_of_the_wall_clock_of_the_clinic(address):
    Clinic.objects.update(tz="Asia/Vladivostok")
    row = queued(make.patient())
    Message.objects.filter(pk=row.pk).update(state="sent", sent_at=datetime(2026, 3, 2, 20, 30, tzinfo=UTC))
    page = signed_in("owner").get(address.format(pk=row.pk)).content.decode()
    assert "03.03.2026 06:30" in page.replace("\xa0", " ")


def test_reports_of_a_provider_are_told_in_our_words():
    row = queued()
    Message.objects.filter(pk=row.pk).update(state="undelivered", sent_at=NOON)
    for number, status in enumerate(("sent", "expired")):
        DeliveryEvent.objects.create(
            message=row, transport="sms", event_id=f"e{number}", status=status, occurred_at=NOON, received_at=NOON
        )
    page = signed_in("owner", language="ru").get(f"/messages/{row.pk}/", headers={"Accept-Language": "ru"})
    said = page.content.decode().partition("Что сообщил оператор")[2]
    assert "отправлено" in said and "не доставлено" in said and "expired" not in said
