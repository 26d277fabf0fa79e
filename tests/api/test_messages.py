"""Other systems ask for messages: `/api/v1/messages/`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.models import Message
from patients.models import Patient
from staff.models import Source
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient():
    source = Source.objects.get_or_create(code="mis", defaults={"name": "mis"})[0]
    return make.patient(phone="+79160000001", source=source, external_id="P1", email="a@example.org")


def row(**fields):
    return {"external_id": "M1", "patient_id": "P1", "purpose": "service", "text": "Ждём вас завтра."} | fields


def test_one_message_waits_in_the_outbox_with_address_and_zone(api, patient):
    answer = api.post("messages/", {"patient": patient.pk, "purpose": "service", "transport": "best", "text": "Ждём."})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["state"], body["transport"], body["address"]) == ("queued", "sms", "+79160000001")
    stored = Message.objects.get(pk=body["id"])
    assert (stored.tz, stored.language, stored.priority) == ("Europe/Moscow", "ru", 20)
    assert stored.expires_at - stored.not_before == timedelta(days=1)
    assert api.get(f"messages/{body['id']}/").json() == body


def test_a_hundred_in_bulk_and_again_change_nothing(api, patient):
    rows = [row(external_id=f"M{i}", transport="email", subject="Визит") for i in range(100)]
    first, second = api.bulk("messages", *rows).json(), api.bulk("messages", *rows).json()
    assert (first["created"], second["unchanged"], second["failed"]) == (100, 100, 0)
    assert set(Message.objects.values_list("address", flat=True)) == {"a@example.org"}


def test_by_external_id_it_is_immutable(api, patient):
    address = "messages/by-external/mis/M1/"
    assert api.put(address, row()).status_code == 201
    assert api.put(address, row()).status_code == 200
    changed = api.put(address, row(text="Другой текст"))
    assert changed.status_code == 422 and changed.json()["errors"][0]["field"] == "text"
    assert api.get(address).json()["text"] == "Ждём вас завтра."


def test_the_same_key_again_makes_no_second_message(api, patient):
    body = {"patient": patient.pk, "purpose": "service", "text": "Ждём."}
    ids = {api.post("messages/", body, **{"Idempotency-Key": "k"}).json()["id"] for _ in range(2)}
    assert len(ids) == 1 and Message.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": ""}, "text"),
        ({"template": "reminder_2h"}, "text"),
        ({"text": "", "template": "no_such"}, "template"),
        ({"transport": "email"}, "subject"),
        ({"text": "Скидка 20 % на всё"}, "text"),
        ({"text": "Ждём вас у онколога"}, "text"),
        ({"transport": "pigeon"}, "transport"),
        ({"purpose": "marketing"}, "approval"),
        ({"purpose": "marketing", "approval": 999}, "approval"),
        ({"not_before": "2026-03-02T10:00:00Z", "expires_at": "2026-03-02T09:00:00Z"}, "expires_at"),
        ({"patient_id": "P9"}, "patient_id"),
        ({"state": "sent"}, "state"),
    ],
)
def test_a_bad_row_fails_alone_and_names_its_field(api, patient, fields, field):
    answer = api.bulk("messages", row(**fields), row(external_id="M2")).json()
    assert (answer["created"], answer["failed"]) == (1, 1)
    assert list(answer["results"][0]["errors"]) == [field]


def test_a_template_takes_its_words_when_it_is_sent(api, patient):
    answer = api.bulk("messages", row(text="", template="reminder_2h")).json()
    assert answer["created"] == 1 and Message.objects.get().text == ""


def test_a_key_of_one_branch_neither_asks_nor_sees_elsewhere(api, keys, patient):
    api.bulk("messages", row())
    other = keys(branch=make.branch())
    assert other.bulk("messages", row(external_id="M2")).json()["failed"] == 1
    assert other.get("messages/").json()["results"] == []
    assert other.get(f"messages/{Message.objects.get().pk}/").status_code == 404


def test_a_list_is_filtered_and_costs_the_same_for_many(api, patient, django_assert_max_num_queries):
    api.bulk("messages", *[row(external_id=f"M{i}") for i in range(60)])
    with django_assert_max_num_queries(12):
        page = api.get(f"messages/?patient={patient.pk}&state=queued&page_size=50").json()
    assert len(page["results"]) == 50 and page["next_cursor"]
    assert api.get("messages/?state=sent").json()["results"] == []


def test_why_a_message_did_not_go_out_is_said_in_words(api, patient):
    api.bulk("messages", row())
    Message.objects.update(state="skipped", reason="withdrawn", decided_at=timezone.now())
    assert api.get(f"messages/{Message.objects.get().pk}/").json()["why"] == "the patient wants no messages"
    assert Patient.objects.count() == 1
