"""The pages and the API of calls: who sees what, what is written down, and that they do not slow down with rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from funnel.actions.call_rows import record_calls
from funnel.actions.telephony import make_line, seat_operator
from funnel.models import Call, Lead, Operator, TelephonyLine
from funnel.queries.calls import not_settled, secrets_of
from patients.models import WorkItem
from staff.models import AuditEntry, Source
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
BY = make.actor()
PHONE = "+79001112233"


@pytest.fixture(autouse=True)
def _no_second_step(settings):
    settings.REQUIRE_TOTP = False


def signed_in(role="administrator", **fields):
    client = Client()
    client.force_login(make.user(role, **fields))
    return client


def call(n=0, **fields):
    start = NOW + timedelta(minutes=n)
    values = {"direction": "in", "outcome": "missed", "from_number": PHONE, "started_at": start, "ended_at": start}
    return Call.objects.create(**(values | fields))


def queries(client, url):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


@pytest.mark.parametrize("url", ["/calls/", "/calls/missed/", "/calls/?show=waiting", "/calls/missed/?explained=1"])
def test_a_list_asks_as_much_for_one_row_as_for_twenty(url):
    client, patient, user = signed_in(), make.patient(), make.user("administrator")
    said = {"explained_reason": "x", "explained_at": NOW} if "explained=1" in url else {}
    call(patient=patient, operator=user, **said)
    client.get(url)
    one = queries(client, url)
    for n in range(1, 20):
        call(n, patient=make.patient(), operator=user, branch=make.branch(), **said)
    assert queries(client, url) == one


def test_the_list_goes_on_by_key_and_shows_every_call_once():
    client = signed_in()
    for n in range(60):
        call(n // 7, from_number=f"+790000000{n:02}")
    first = client.get("/calls/")
    rest = client.get("/calls/", {"after": first.context["after"]})
    shown = [row.pk for page in (first, rest) for row in page.context["calls"]]
    assert len(shown) == len(set(shown)) == 60
    assert client.get("/calls/?after=nonsense_1").status_code == 200


def test_each_view_of_the_list_has_its_own_calls():
    client, user = signed_in(), make.user("curator")
    lost, told = call(), call(1, explained_reason="Реклама", explained_at=NOW)
    back, spoken = call(2, called_back_at=NOW), call(3, outcome="answered", operator=user)

    def shown(url):
        return {row.pk for row in client.get(url).context["calls"]}

    assert shown("/calls/") == {lost.pk, told.pk, back.pk, spoken.pk}
    assert shown("/calls/?show=missed") == {lost.pk, told.pk, back.pk}
    assert shown("/calls/?show=waiting") == shown("/calls/missed/") == {lost.pk}
    assert shown("/calls/?show=answered") == shown(f"/calls/?operator={user.pk}") == {spoken.pk}
    assert shown("/calls/missed/?explained=1") == {told.pk}


def test_the_card_is_audited_and_takes_an_explanation_only_with_a_reason():
    client, lost = signed_in(), call(patient=make.patient())
    assert "+7" in client.get(f"/calls/{lost.pk}/").content.decode()
    assert AuditEntry.objects.filter(deed="see_call", patient_id=lost.patient_id).exists()
    assert client.post(f"/calls/{lost.pk}/explain/", {"reason": " "}).status_code == 422
    assert client.post(f"/calls/{lost.pk}/explain/", {"reason": "Реклама"}).status_code == 303
    assert Call.objects.get().explained_reason == "Реклама"
    assert "Реклама" in client.get(f"/calls/{lost.pk}/").content.decode()
    assert client.post(f"/calls/{lost.pk}/explain/", {"reason": "другое"}).status_code == 303
    assert Call.objects.get().explained_reason == "Реклама"


def test_only_leaders_listen_and_it_is_written_down():
    spoken = call(outcome="answered", recording="https://records.example/1.mp3")
    assert "records.example" not in signed_in("owner").get(f"/calls/{spoken.pk}/").content.decode()
    assert signed_in("administrator").post(f"/calls/{spoken.pk}/hear/").status_code == 403
    answer = signed_in("owner").post(f"/calls/{spoken.pk}/hear/")
    assert (answer.status_code, answer["Location"]) == (303, "https://records.example/1.mp3")
    assert AuditEntry.objects.filter(deed="hear_call", object_id=spoken.pk).count() == 1
    call(1, recording="javascript:alert(1)")
    assert signed_in("owner").post(f"/calls/{Call.objects.latest('pk').pk}/hear/").status_code == 404


def test_a_person_of_a_branch_sees_its_calls_and_those_of_none():
    here, there = make.branch(), make.branch()
    client = signed_in(branch=here)
    mine, theirs, free = call(branch=here), call(1, branch=there), call(2)
    assert {row.pk for row in client.get("/calls/").context["calls"]} == {mine.pk, free.pk}
    assert client.get(f"/calls/{theirs.pk}/").status_code == 404
    assert client.post(f"/calls/{theirs.pk}/explain/", {"reason": "x"}).status_code == 404


def test_a_line_shows_its_secret_once_and_keeps_it_sealed():
    client = signed_in("owner")
    answer = client.post("/calls/lines/", {"code": "pbx", "kind": "generic"}).content.decode()
    line = TelephonyLine.objects.get()
    secret = secrets_of(line)["secret"]
    assert len(secret) > 30
    assert secret in answer
    assert secret not in client.get("/calls/lines/").content.decode()
    assert secret.encode() not in bytes(line.secret)
    assert client.post("/calls/lines/", {"code": "pbx", "kind": "generic"}).status_code == 422
    assert client.post("/calls/lines/", {"code": "m", "kind": "mango", "key": "k"}).status_code == 422
    client.post(f"/calls/lines/{line.pk}/stop/")
    assert client.post("/calls/lines/", {"code": "pbx", "kind": "generic"}).status_code == 200
    assert secrets_of(TelephonyLine.objects.get())["secret"] != secret


@pytest.mark.parametrize(
    "wrong",
    [{"addresses": "anywhere"}, {"kind": "uis", "polls": "on"}, {"polls": "on"},
     {"kind": "uis", "polls": "on", "token": "t", "url": "http://inside/"}],
)  # fmt: skip
def test_a_line_that_cannot_work_is_not_made(wrong):
    assert signed_in("owner").post("/calls/lines/", {"code": "pbx", "kind": "generic"} | wrong).status_code == 422
    assert not TelephonyLine.objects.exists()


def test_who_gets_a_seat_gets_its_calls_that_are_nobodys():
    client, user = signed_in("owner"), make.user("administrator")
    line, _secret = make_line(code="pbx", kind="generic", by=BY, now=NOW)
    call(source=line.source, extension="7")
    data = {"source": line.source_id, "extension": "7", "user": user.pk}
    assert client.post("/calls/operators/", data).status_code == 303
    assert Call.objects.get().operator == user
    assert client.post(f"/calls/operators/{Operator.objects.get().pk}/free/").status_code == 303
    assert not Operator.objects.exists()
    assert client.post("/calls/operators/", data | {"extension": ""}).status_code == 422


def test_the_page_of_lines_asks_as_much_for_one_as_for_twenty():
    client = signed_in("owner")

    def add(n):
        line, _secret = make_line(code=f"pbx{n}", kind="generic", branch=make.branch(), by=BY, now=NOW)
        seat_operator(source=line.source, extension="7", user=make.user("curator"), by=BY, now=NOW)

    add(0)
    client.get("/calls/lines/")
    one = queries(client, "/calls/lines/")
    for n in range(1, 20):
        add(n)
    assert queries(client, "/calls/lines/") == one


def row(code, at="2026-02-20T09:00:00Z", **more):
    return {"external_id": code, "started_at": at, "direction": "in", "outcome": "missed", "from": PHONE} | more


def test_rows_of_another_system_settle_what_was_missed_and_make_no_work():
    make.default_branch()
    source = Source.objects.create(code="old-pbx")
    rows = [row("1", **{"from": "8 900 111-22-33"}), row("2", "2026-02-20T10:00:00Z", direction="out",
            outcome="answered", to=PHONE, **{"from": ""})]  # fmt: skip
    assert [r.status for r in record_calls(source=source, rows=rows, by=BY, now=NOW)] == ["created"] * 2
    assert [r.status for r in record_calls(source=source, rows=rows, by=BY, now=NOW)] == ["unchanged"] * 2
    assert Call.objects.get(external_id="1").from_number == PHONE
    assert not not_settled().exists()
    assert (Lead.objects.count(), WorkItem.objects.count()) == (0, 0)


def test_a_row_that_ends_before_it_begins_is_refused():
    make.default_branch()
    source = Source.objects.create(code="old-pbx")
    bad = row("1", ended_at="2026-02-20T08:00:00Z")
    (result,) = record_calls(source=source, rows=[bad], by=BY, now=NOW)
    assert result.status not in ("created", "updated")
    assert not Call.objects.exists()
