from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients.models import Patient, Visit
from staff.models import AuditEntry, Source
from tests import make
from tests.api.test_contract import NAMES

pytestmark = pytest.mark.django_db
START, END = "2026-02-03T10:00:00Z", "2026-02-03T10:30:00Z"


@pytest.fixture
def clinic(api):
    """A clinic loaded through the API itself."""
    assert api.bulk("branches", {"external_id": "B1", "name": "Центр", "tz": "Europe/Moscow"}).status_code == 200
    api.bulk("doctors", {"external_id": "D1", "name": "Врач", "specialty": "терапия", "branch_id": "B1"})
    api.bulk("services", {"external_id": "S1", "name": "Приём", "tier": "core", "price": "1500.00", "cost": "400"})
    api.bulk("channels", {"external_id": "C1", "name": "Реклама", "kind": "paid"})
    api.bulk("patients", {"external_id": "P1", "last_name": "Иванова", "phones": ["+79123456789"], "channel_id": "C1"})
    return api


def visit(**fields):
    row = {"external_id": "V1", "patient_id": "P1", "doctor_id": "D1", "booked_at": START, "start_at": START}
    return row | {"end_at": END, "status": "completed", "diagnosis": "N30"} | fields


def problem(response, status):
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status and body["title"] and body["request_id"]
    return {error["field"]: error["detail"] for error in body.get("errors", ())}


def test_every_resource_is_listed_read_and_loaded(clinic):
    clinic.bulk("visits", visit(items=[{"external_id": "I1", "service_id": "S1"}]))
    clinic.bulk(
        "payments",
        {
            "external_id": "Y1",
            "patient_id": "P1",
            "appointment_id": "V1",
            "kind": "payment",
            "paid_at": END,
            "amount": "5",
        },
    )
    clinic.bulk(
        "spend",
        {"external_id": "E1", "channel_id": "C1", "date": "2026-02-01", "amount": "9.50", "purpose": "acquisition"},
    )
    clinic.bulk("shifts", {"external_id": "H1", "doctor_id": "D1", "start_at": START, "end_at": END})
    clinic.bulk(
        "consents", {"external_id": "L1", "patient_id": "P1", "purpose": "marketing", "given": True, "at": START}
    )
    clinic.bulk("touchpoints", {"external_id": "T1", "patient_id": "P1", "kind": "call", "at": START})
    for name in NAMES:
        page = clinic.get(f"{name}/")
        assert page.status_code == 200, (name, page.content)
        (row,) = page.json()["results"]
        assert clinic.get(f"{name}/{row['id']}/").json() == row
        assert clinic.get(f"{name}/by-external/mis/{row['external_id']}/").json() == row
        assert clinic.get(f"{name}/?source=mis&external_id={row['external_id']}").json()["results"] == [row]
        assert clinic.get(f"{name}/?source=other").json()["results"] == []
        assert row["source"] == "mis"
    found = clinic.get("visits/").json()["results"][0]
    assert (found["patient_id"], found["amount"], found["items"][0]["service_id"]) == ("P1", "1500.00", "S1")
    assert found["payments"][0]["amount"] == "5.00" and found["diagnosis"] == "N30" and found["start_at"] == START


def test_bulk_counts_and_names_what_failed(clinic):
    response = clinic.bulk(
        "visits", visit(), visit(external_id="V2", patient_id="P9", cost="1"), visit(external_id="V1", goal="x")
    )
    body = response.json()
    assert {k: body[k] for k in ("created", "updated", "unchanged", "failed")} == {
        "created": 1,
        "updated": 1,
        "unchanged": 0,
        "failed": 1,
    }
    bad = body["results"][1]
    assert bad["status"] == "failed" and bad["id"] is None and set(bad["errors"]) == {"patient_id", "cost"}
    assert [result["index"] for result in body["results"]] == [0, 1, 2]


def test_an_upsert_by_external_id_answers_201_then_200_and_changes_nothing(clinic):
    url = "patients/by-external/mis/P%2F7/"
    body = {"last_name": "Петров", "phones": ["+79123456780"]}
    first = clinic.put(url, body)
    assert first.status_code == 201 and first.headers["Location"] == f"/api/v1/patients/{first.json()['id']}/"
    entries = AuditEntry.objects.count()
    again = clinic.put(url, body)
    assert (again.status_code, again.json()) == (200, first.json())
    assert AuditEntry.objects.count() == entries
    assert clinic.put(url, {"last_name": "Сидоров"}).json()["last_name"] == "Сидоров"
    assert Patient.objects.filter(external_id="P/7").count() == 1
    assert problem(clinic.put(url, {"external_id": "other"}), 422).keys() == {"external_id"}
    assert problem(clinic.put("patients/by-external/crm/X/", {}), 422).keys() == {"source"}
    problem(clinic.get("patients/by-external/mis/none/"), 404)


def test_one_is_created_and_changed(clinic):
    made = clinic.post("patients/", {"last_name": "Новая", "birth_date": "1990-01-31"})
    assert made.status_code == 201 and made.json()["source"] == "crm"
    url = made.headers["Location"].removeprefix("/api/v1/")
    assert clinic.patch(url, {"first_name": "Анна"}).json()["first_name"] == "Анна"
    assert clinic.get(url).json()["birth_date"] == "1990-01-31"
    assert problem(clinic.patch(url, {"birth_date": "вчера"}), 422).keys() == {"birth_date"}
    assert problem(clinic.patch(url, {"external_id": "x"}), 422).keys() == {"external_id"}
    assert problem(clinic.patch(url, {"is_staff": True, "id": 5}), 422)
    taken = clinic.post("patients/", {"source": "mis", "external_id": "P1", "last_name": "Другая"})
    assert problem(taken, 409) and Patient.objects.get(external_id="P1").last_name == "Иванова"


def test_lists_are_paged_by_key_without_counting(clinic):
    clinic.bulk("patients", *({"external_id": f"N{n:03}", "last_name": str(n)} for n in range(120)))
    seen, url = [], "patients/?page_size=50"
    while url:
        with CaptureQueriesContext(connection) as queries:
            page = clinic.get(url).json()
        assert not any("COUNT(" in query["sql"] for query in queries)
        seen += [row["external_id"] for row in page["results"]]
        url = page["next"] and page["next"].partition("/api/v1/")[2]
    assert len(seen) == len(set(seen)) == 121
    for bad in ("page_size=201", "page_size=0", "page_size=x", "cursor=!!", "cursor=MQ.x", "cursor=LTE"):
        assert len(problem(clinic.get(f"patients/?{bad}"), 400)) == 1


def test_the_number_of_queries_does_not_grow_with_the_page(clinic):
    rows = [
        visit(
            external_id=f"V{n}",
            items=[{"external_id": f"I{n}", "service_id": "S1"}],
            payments=[{"external_id": f"Y{n}", "kind": "payment", "paid_at": END, "amount": "5"}],
        )
        for n in range(50)
    ]
    clinic.bulk("visits", *rows)
    counts = []
    for size in (1, 50):
        with CaptureQueriesContext(connection) as queries:
            assert len(clinic.get(f"visits/?page_size={size}").json()["results"]) == size
        counts.append(len(queries))
    assert counts[0] == counts[1] < 12


def test_only_named_filters_work_and_others_are_refused_by_name(clinic):
    clinic.bulk(
        "visits",
        visit(),
        visit(external_id="V2", status="no_show", start_at="2026-02-04T10:00:00Z", end_at="2026-02-04T11:00:00Z"),
    )
    pk = Patient.objects.get(external_id="P1").pk

    def found(query):
        return [row["external_id"] for row in clinic.get(f"visits/?{query}").json()["results"]]

    assert found(f"patient={pk}&status=no_show") == ["V2"]
    assert found("start_at__lt=2026-02-04T10:00:00%2B00:00") == ["V1"] and found("day__gte=2026-02-04") == ["V2"]
    assert found("diagnosis=N30") == ["V1", "V2"]
    for bad in ("user__password__startswith=a", "ordering=diagnosis", "patient=x", "status=done", "day__gte=1.2.2026"):
        assert problem(clinic.get(f"visits/?{bad}"), 400).keys() == {bad.partition("=")[0]}
    assert problem(clinic.get("patients/?phone=%00"), 400)
    assert clinic.get(f"visits/?patient={2**63 - 1}").json()["results"] == []


# --- who may ----------------------------------------------------------------------------------------------------------
def test_a_marketer_sees_no_diagnosis_and_no_contacts_and_cannot_filter_by_them(clinic, keys):
    clinic.bulk("visits", visit())
    marketer = keys("marketer")
    row = marketer.get("visits/").json()["results"][0]
    assert "diagnosis" not in row and row["amount"] == "0.00"
    person = marketer.get("patients/").json()["results"][0]
    assert not {"phones", "email", "card_number", "note"} & set(person) and person["last_name"] == "Иванова"
    assert problem(marketer.get("visits/?diagnosis=N30"), 400).keys() == {"diagnosis"}
    assert problem(marketer.get("patients/?phone=%2B79123456789"), 400).keys() == {"phone"}
    problem(marketer.post("patients/", {"last_name": "X"}), 403)
    line = {"external_id": "E9", "date": "2026-02-01", "amount": "1", "purpose": "acquisition"}
    assert marketer.bulk("spend", line).json()["created"] == 1
    administrator = keys("administrator")
    pk = Visit.objects.get().pk
    assert problem(administrator.patch(f"visits/{pk}/", {"diagnosis": "A00"}), 422).keys() == {"diagnosis"}


def test_a_key_without_right_or_none_at_all_is_turned_away(clinic, keys, client):
    problem(keys("doctor").get("patients/"), 403)
    anonymous = client.get("/api/v1/patients/")
    assert anonymous.status_code == 401 and anonymous.headers["WWW-Authenticate"].startswith("Api-Key")
    assert problem(anonymous, 401) == {}
    clinic.text = "nobody.nothing"
    problem(clinic.get("patients/"), 401)


def test_another_branch_does_not_exist_for_a_bound_key(clinic, keys):
    other = make.branch(external_id="B2", source=Source.objects.get(code="mis"))
    clinic.bulk("patients", {"external_id": "P2", "branch_id": "B2"})
    clinic.bulk("visits", visit(), visit(external_id="V2", patient_id="P2", branch_id="B2"))
    bound = keys(branch=other)
    assert [row["external_id"] for row in bound.get("patients/").json()["results"]] == ["P2"]
    assert [row["external_id"] for row in bound.get("visits/").json()["results"]] == ["V2"]
    p1, v1 = Patient.objects.get(external_id="P1").pk, Visit.objects.get(external_id="V1").pk
    for url in (f"patients/{p1}/", f"visits/{v1}/", "patients/by-external/mis/P1/"):
        problem(bound.get(url), 404)
    problem(bound.patch(f"visits/{v1}/", {"goal": "x"}), 404)
    problem(bound.put("patients/by-external/mis/P1/", {"note": "x"}), 404)
    assert bound.bulk("patients", {"external_id": "P1", "note": "x"}).json()["failed"] == 1
    assert problem(bound.post("patients/", {"last_name": "X", "branch": Patient.objects.get(pk=p1).branch_id}), 422)
    assert bound.post("patients/", {"last_name": "X"}).json()["branch"] == other.pk


def test_reading_one_patient_is_written_down(clinic):
    pk = Patient.objects.get().pk
    clinic.get(f"patients/{pk}/")
    entry = AuditEntry.objects.latest("id")
    assert (entry.deed, entry.patient_id, entry.actor_kind) == ("read_patients", pk, "key") and "phones" in entry.fields


# --- bad input --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[NaN]",
        b'{"a": 1, "a": 2}',
        b'{"last_name": "\\u0000"}',
        b'{"last_name": "\\ud800"}',
        b'{"last_name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"last_name": ' + b"9" * 10_000 + b"}",
        b'{"last_name": Infinity}',
        "{'a': 'я'}".encode("cp1251"),
        b'\xef\xbb\xbf{"last_name": "BOM"}',
    ],
)
def test_broken_json_answers_400(api, body):
    problem(api.post("patients/", body), 400)


def test_wrong_methods_types_addresses_and_sizes_have_their_own_answers(clinic):
    problem(clinic.send("DELETE", "patients/"), 405)
    assert "GET" in clinic.send("DELETE", "patients/").headers["Allow"]
    problem(clinic.post("patients/", "a=1", content_type="application/x-www-form-urlencoded"), 415)
    problem(clinic.get("patients/", Accept="text/html"), 406)
    problem(clinic.get("patients/99999999999999999999/"), 404)
    problem(clinic.get("patients/777/"), 404)
    problem(clinic.get("nowhere/"), 404)
    problem(clinic.get("patients"), 404)
    problem(clinic.post("patients/bulk/", {"source": "mis", "rows": [{}] * 5001}), 413)
    problem(clinic.post("patients/bulk/", b'{"rows": "' + b"x" * (26 * 1024 * 1024) + b'"}'), 413)
    for body in (
        [],
        '"text"',
        5,
        None,
        {"rows": {}},
        {"source": "a b", "rows": []},
        {"source": "mis", "rows": [], "x": 1},
    ):
        problem(clinic.post("patients/bulk/", body), 422)
    problem(clinic.post("patients/", []), 422)


def test_too_many_requests_say_when_to_come_again(clinic, settings, monkeypatch):
    from staff.authentication import KeyThrottle

    monkeypatch.setattr(KeyThrottle, "rate", "2/min", raising=False)
    answers = [clinic.get("doctors/") for _ in range(5)]
    last = answers[-1]
    assert problem(last, 429) == {} and int(last.headers["Retry-After"]) >= 1


def test_errors_speak_the_reader_s_language(clinic):
    body = clinic.get("patients/0/", **{"Accept-Language": "ru"}).json()
    assert body["status"] == 404 and body["title"]
