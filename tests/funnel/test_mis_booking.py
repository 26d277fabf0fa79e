"""Bookings to the MIS: by a webhook over a real connection, or fetched by the API; what it refuses a person looks at."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from django.test import Client

from funnel.actions.mis_booking import collect_bookings, send_bookings
from funnel.models import BookingRules, MisBooking
from funnel.queries.mis_booking import MOST_TRIES
from patients import actions as patients
from patients.models import Visit, WorkItem
from staff.models import Source
from tests import make
from tests.api.conftest import Api, key_of

pytestmark = pytest.mark.django_db
SECRET = "shared-secret"
NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW + timedelta(days=1)


class Mis:
    """An MIS on the loopback: says `answers` in turn (the last one for ever), keeps what it got."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = [(200, {"state": "accepted", "id": "m1"})]
        self.got: list[tuple[dict[str, Any], dict[str, str], bytes]] = []

    def next(self) -> tuple[int, Any]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def mis(settings) -> Iterator[Mis]:
    found = Mis()

    class Handler(BaseHTTPRequestHandler):
        box: ClassVar[Mis] = found

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            self.box.got.append((json.loads(raw), dict(self.headers), raw))
            status, body = self.box.next()
            answer = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            """Quiet: the test reads `got`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.BOOKING_WEBHOOK_URL = f"http://127.0.0.1:{server.server_port}/bookings"
    settings.BOOKING_WEBHOOK_SECRET = SECRET
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def visit() -> Visit:
    branch = make.default_branch()
    return patients.book_visit(
        patient=make.patient(branch=branch, phone="+79123456789"),
        doctor=make.doctor(branch=branch),
        branch=branch,
        start_at=START,
        end_at=START + timedelta(minutes=30),
        by=make.actor(),
        now=NOW,
    )


def told(now: datetime = NOW) -> MisBooking:
    collect_bookings(now=now)
    send_bookings(now=now)
    return MisBooking.objects.get()


def test_a_booking_is_sent_signed_and_accepted(mis, visit):
    row = told()
    assert (row.state, row.mis_id, row.next_try_at) == ("accepted", "m1", None)
    ((body, headers, raw),) = mis.got
    assert (body["external_id"], body["deed"], body["patient"]["phone"]) == (visit.external_id, "book", "+79123456789")
    assert body["start_at"] == START.isoformat().replace("+00:00", "Z")
    signed = hmac.new(SECRET.encode(), headers["X-Timestamp"].encode() + b"." + raw, hashlib.sha256).hexdigest()
    assert headers["X-Signature"] == signed
    assert headers["Idempotency-Key"] == f"{visit.external_id}-1"
    told(NOW + timedelta(minutes=1))
    assert len(mis.got) == 1


def test_nothing_says_write_into_time_that_is_busy_there(mis, visit):
    told()
    assert not {key for key in mis.got[0][0] if "busy" in key or "force" in key or "overlap" in key}


@pytest.mark.parametrize(
    "answer", [(200, {"state": "refused", "reason": "врач в отпуске"}), (409, {"reason": "врач в отпуске"})]
)
def test_what_the_mis_refuses_a_person_looks_at(mis, visit, answer):
    mis.answers = [answer]
    row = told()
    assert (row.state, row.reason) == ("refused", "врач в отпуске")
    item = WorkItem.objects.get(visit=visit)
    assert item.status == "open"
    assert "врач в отпуске" in item.note
    told(NOW + timedelta(hours=1))
    assert (len(mis.got), WorkItem.objects.count()) == (1, 1)


def test_an_mis_that_fails_is_asked_again_and_its_recovery_is_enough(mis, visit):
    mis.answers = [(503, {}), (200, {"state": "accepted", "id": "m1"})]
    row = told()
    assert (row.state, row.tries, row.reason) == ("waiting", 1, "HTTP 503")
    assert row.next_try_at > NOW
    told(NOW + timedelta(seconds=1))
    assert len(mis.got) == 1
    row = told(row.next_try_at)
    assert (row.state, row.tries) == ("accepted", 2)
    assert [headers["Idempotency-Key"] for _body, headers, _raw in mis.got] == [f"{visit.external_id}-1"] * 2


def test_an_mis_that_is_not_there_is_asked_for_hours_then_a_person_is_told(settings, visit):
    settings.BOOKING_WEBHOOK_URL = "http://127.0.0.1:9/nobody"
    now = NOW - timedelta(days=30)
    Visit.objects.update(booked_at=now)
    for _try in range(MOST_TRIES):
        row = told(now)
        assert row.state == "waiting"
        now = row.next_try_at or now
    assert now - (NOW - timedelta(days=30)) > timedelta(hours=5)
    assert (row.tries, row.next_try_at, row.reason) == (MOST_TRIES, None, "ConnectionRefusedError")
    assert WorkItem.objects.filter(visit=visit).count() == 1


def test_a_move_and_a_cancellation_are_the_next_versions(mis, visit):
    told()
    later = START + timedelta(hours=2)
    patients.move_visit(visit=visit, start_at=later, end_at=later + timedelta(minutes=30), by=make.actor(), now=NOW)
    assert told().version == 2
    patients.cancel_visit(visit=visit, reason="", by_clinic=False, by=make.actor(), now=NOW)
    assert told().version == 3
    assert [(body["deed"], body["version"], body["mis_id"]) for body, _headers, _raw in mis.got] == [
        ("book", 1, None),
        ("book", 2, "m1"),
        ("cancel", 3, "m1"),
    ]


def test_where_no_mis_is_set_up_no_booking_waits_for_one(visit):
    assert collect_bookings(now=NOW) == 0
    assert not MisBooking.objects.exists()


def test_what_another_system_sent_us_is_not_told_back(mis, visit):
    Visit.objects.update(source=Source.objects.create(code="mis"))
    collect_bookings(now=NOW)
    assert not MisBooking.objects.exists()


@pytest.fixture
def fetched(visit) -> MisBooking:
    BookingRules.objects.update_or_create(pk=1, defaults={"mis_fetches": True})
    collect_bookings(now=NOW)
    return MisBooking.objects.get()


def test_an_mis_fetches_the_same_until_it_answers(fetched, visit):
    api = Api(key_of())
    for _poll in range(2):
        (row,) = api.get("bookings/").json()["results"]
        assert (row["id"], row["version"], row["external_id"]) == (fetched.pk, 1, visit.external_id)
    answer = {"version": 1, "state": "accepted", "id": "m7"}
    for _again in range(2):
        said = api.post(f"bookings/{fetched.pk}/answer/", answer)
        assert (said.status_code, said.json()["state"], said.json()["mis_id"]) == (200, "accepted", "m7")
    assert api.get("bookings/").json() == {"results": [], "next_cursor": None}


def test_a_refusal_by_the_api_is_a_work_item_once(fetched, visit):
    answer = {"version": 1, "state": "refused", "reason": "занято"}
    for _again in range(2):
        assert Api(key_of()).post(f"bookings/{fetched.pk}/answer/", answer).status_code == 200
    assert WorkItem.objects.filter(visit=visit, note__contains="занято").count() == 1


def test_an_answer_to_a_version_that_is_no_more_is_a_conflict(fetched):
    MisBooking.objects.update(version=2)
    answer = Api(key_of()).post(f"bookings/{fetched.pk}/answer/", {"version": 1, "state": "accepted"})
    assert answer.status_code == 409
    assert MisBooking.objects.get().state == "waiting"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": "accepted"}, "version"),
        ({"version": True, "state": "accepted"}, "version"),
        ({"version": 1, "state": "maybe"}, "state"),
        ({"version": 1, "state": "accepted", "reason": 5}, "reason"),
        ({"version": 1, "state": "accepted", "id": "x" * 121}, "id"),
        ({"version": 1, "state": "accepted", "force": True}, "force"),
    ],
)
def test_an_answer_that_says_nothing_clear_is_refused_by_field(fetched, body, field):
    answer = Api(key_of()).post(f"bookings/{fetched.pk}/answer/", body)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


def test_a_key_of_another_branch_sees_and_answers_nothing(fetched):
    api = Api(key_of(branch=make.branch()))
    assert api.get("bookings/").json()["results"] == []
    assert api.post(f"bookings/{fetched.pk}/answer/", {"version": 1, "state": "accepted"}).status_code == 404


def test_the_list_goes_on_where_the_page_ended_and_asks_as_much_for_one_as_for_many(fetched, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    api = Api(key_of())
    api.get("bookings/")
    with CaptureQueriesContext(connection) as one:
        api.get("bookings/")
    branch = make.default_branch()
    for hour in range(2, 22):
        at = START + timedelta(hours=hour)
        make.visit(make.patient(branch=branch), start=at, status="scheduled", booked_at=NOW)
    collect_bookings(now=NOW)
    with django_assert_num_queries(len(one)):
        assert len(api.get("bookings/").json()["results"]) == 21
    found, cursor = [], ""
    while cursor is not None:
        page = api.get(f"bookings/?page_size=8&cursor={cursor}").json()
        found += [row["id"] for row in page["results"]]
        cursor = page["next_cursor"]
    assert found == sorted(MisBooking.objects.values_list("pk", flat=True))


def test_the_desk_sends_a_refused_booking_once_more(mis, visit):
    mis.answers = [(409, {"reason": "занято"}), (200, {"state": "accepted"})]
    row = told()
    client = Client()
    client.force_login(make.user("administrator"))
    shown = client.get(f"/patients/{visit.patient_id}/").content.decode()
    assert "занято" in shown
    assert client.post(f"/bookings/{visit.pk}/to-the-mis/").status_code == 302
    assert told(datetime.now(UTC)).state == "accepted"
    assert [body["version"] for body, _headers, _raw in mis.got] == [1, 2]
    assert row.version == 1
