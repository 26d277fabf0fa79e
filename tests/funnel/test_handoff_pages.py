"""The pages of the hand-off: ticks at the visit, one tap, the live board, the chains; queries do not grow."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.clock import local_date
from funnel.actions import handoff as actions
from funnel.models import HandoffStep, Relay
from staff.access import Actor
from staff.models import User
from tests import make
from tests.funnel.relay_house import NOW, coming, relay_house, relay_of

pytestmark = pytest.mark.django_db
DAY = local_date(NOW, "Europe/Moscow")


@pytest.fixture(autouse=True)
def _one_step_in(settings):
    settings.REQUIRE_TOTP = False


@pytest.fixture
def house(db):
    return relay_house()


def test_the_page_of_the_visit_takes_the_ticks(house, client):
    start = datetime.now(UTC) - timedelta(minutes=20)
    visit, service = coming(house, status="scheduled", start=start), make.service(name="Приём")
    client.force_login(make.user("administrator"))
    page = client.get(f"/visits/{visit.pk}/log/").content.decode()
    assert 'name="hand-passed"' in page and 'name="hand-presented"' in page
    data = {
        "key": str(uuid.uuid4()), "items-TOTAL_FORMS": "1", "items-INITIAL_FORMS": "0", "items-0-service": service.name,
        "items-0-quantity": "1", "method": "card", "next-no_next_reason": "course_over", "next-minutes": "30",
        "hand-passed": ["0", "1"], "hand-presented": "on", "hand-break_reason": "hurry", "hand-first_steps": ["1"],
    }  # fmt: skip
    for _double_click in range(2):
        assert client.post(f"/visits/{visit.pk}/log/", data).status_code == 303
    relay = Relay.objects.get(visit=visit)
    taken = relay.steps.exclude(acknowledged_at=None).values_list("position", flat=True)
    assert (sorted(taken), relay.presented, relay.break_reason) == ([0, 1], True, "hurry")
    assert visit.first_steps.count() == 1


def test_a_visit_without_a_chain_is_logged_without_a_tick(house, client):
    other = make.doctor(speciality="хирургия", branch=make.default_branch())
    visit = make.visit(make.patient(), doctor=other, start=datetime.now(UTC) - timedelta(minutes=20), status="arrived")
    client.force_login(make.user("administrator"))
    assert 'name="hand-passed"' not in client.get(f"/visits/{visit.pk}/log/").content.decode()
    data = {
        "key": str(uuid.uuid4()), "items-TOTAL_FORMS": "0", "items-INITIAL_FORMS": "0", "method": "card",
        "next-no_next_reason": "course_over", "next-minutes": "30",
    }  # fmt: skip
    assert client.post(f"/visits/{visit.pk}/log/", data).status_code == 303
    assert not Relay.objects.filter(visit=visit).exists()


def test_one_tap_takes_the_baton_on_the_page(house, client):
    now = datetime.now(UTC)
    _relay, steps = relay_of(house, coming(house, start=now), now)
    client.force_login(house_user(house["dr"]))
    assert f"/handoff/{steps[0].pk}/take/" in client.get("/handoff/mine/").content.decode()
    assert client.post(f"/handoff/{steps[0].pk}/take/").status_code == 303
    page = client.get("/handoff/mine/", headers={"X-Poll": "1"}).content.decode()
    assert f"/handoff/{steps[0].pk}/take/" not in page and f"/handoff/{steps[1].pk}/give/" in page
    assert client.post(f"/handoff/{steps[1].pk}/give/").status_code == 303
    second = client.post(f"/handoff/{steps[1].pk}/take/")
    assert second.status_code == 303
    steps[1].refresh_from_db()
    assert steps[1].handed_at and steps[1].acknowledged_at is None


def house_user(by: Actor) -> User:
    return User.objects.get(pk=by.id)


def queries_of(client: Client, url: str, poll: bool = False) -> int:
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(url, headers={"X-Poll": "1"} if poll else {})
    assert answer.status_code == 200
    return len(seen)


@pytest.mark.parametrize("poll", [False, True])
@pytest.mark.parametrize("url", ["/handoff/", "/handoff/mine/", "/handoff/today/", "/handoff/report/"])
def test_a_page_asks_as_many_questions_for_twenty_visits_as_for_one(house, client, url, poll):
    now = datetime.now(UTC)
    client.force_login(make.user("manager"))
    client.get(url)  # what is asked once a process
    counts = []
    for rows in (1, 19):
        for n in range(rows):
            doctor = make.doctor(branch=make.default_branch())
            visit = make.visit(make.patient(), doctor=doctor, start=now, status="completed")
            relay = actions.open_relay(visit=visit, by=house["administrator"], now=now - timedelta(hours=1))
            HandoffStep.objects.filter(relay=relay, position=n % 2).update(
                handed_at=now, late_at=now, to_role="administrator", to_doctor=None
            )
        counts.append(queries_of(client, url, poll))
    assert counts[0] == counts[1]


def test_a_refresh_of_the_board_asks_one_question_of_the_relays(house, client):
    client.force_login(make.user("manager"))
    with CaptureQueriesContext(connection) as seen:
        client.get("/handoff/", headers={"X-Poll": "1"})
    assert sum("funnel_" in query["sql"] for query in seen.captured_queries) == 1
    assert 'hx-trigger="every 5s"' in client.get("/handoff/").content.decode()


def test_the_chain_is_set_on_its_page_and_the_catalogue_kept(house, client):
    client.force_login(make.user("owner"))
    page = client.get("/handoff/chains/?of=терапия").content.decode()
    assert "терапия" in page
    data = {"speciality": "терапия", "limit_minutes": "7", "step0": "admin_doctor", "step3": "doctor_admin"}
    assert client.post("/handoff/chains/", data).status_code == 303
    _relay, steps = relay_of(house)
    assert [step.kind for step in steps] == ["admin_doctor", "doctor_admin"]
    assert client.post("/handoff/chains/", data | {"limit_minutes": "0"}).status_code == 422
    assert client.post("/handoff/first-steps/", {"name": "экскурсия"}).status_code == 303
    assert client.post("/handoff/first-steps/", {"name": "Экскурсия"}).status_code == 422
