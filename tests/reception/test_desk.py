"""The day at the desk: one-key moves, booking, patients, consents, work items, and the log of who saw what."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from patients.models import Consent, Patient, Visit, WorkItem
from patients.queries.find import find_patients
from staff.models import AuditEntry
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(doctor):
    patient = make.patient(branch=make.default_branch(), phone="+79123456789")
    start = datetime.now(UTC) - timedelta(minutes=20)
    return make.visit(patient, doctor=doctor, start=start, status="scheduled", booked_at=start - timedelta(days=1))


def test_one_key_moves_change_the_appointment_and_come_back(sign_in, visit):
    client = sign_in()
    for verb, status in (
        ("confirm", "scheduled"),
        ("arrive", "arrived"),
        ("reopen", "scheduled"),
        ("no_show", "no_show"),
    ):
        response = client.post(f"/visits/{visit.pk}/{verb}/", {"next": f"/today/#v{visit.pk}"})
        assert (response.status_code, response["Location"]) == (303, f"/today/#v{visit.pk}")
        visit.refresh_from_db()
        assert visit.status == status
    assert client.get(f"/visits/{visit.pk}/confirm/").status_code == 405
    assert client.post(f"/visits/{visit.pk}/destroy/").status_code == 404
    assert client.post(f"/visits/{visit.pk}/reopen/", {"next": "https://evil.example/"})["Location"] == "/today/"


def test_a_no_show_is_to_be_called_in_two_weeks(sign_in, visit):
    sign_in().post(f"/visits/{visit.pk}/no_show/")
    item = WorkItem.objects.get(kind="no_show")
    assert timedelta(days=13) < item.due_at - datetime.now(UTC) < timedelta(days=15)


def test_cancelling_takes_a_reason(sign_in, visit):
    client = sign_in()
    assert client.post(f"/visits/{visit.pk}/cancel/", {"by_clinic": "patient"}).status_code == 422
    sent = {"reason": "заболел", "by_clinic": "clinic", "next": "/today/"}
    assert client.post(f"/visits/{visit.pk}/cancel/", sent).status_code == 303
    visit.refresh_from_db()
    assert (visit.status, visit.cancel_reason) == ("cancelled_clinic", "заболел")


def test_a_free_time_is_booked_and_a_taken_one_offers_others(sign_in, visit, doctor, noon):
    client, start = sign_in(), noon + timedelta(days=1)
    data = {"doctor": doctor.pk, "minutes": "30", "slot": f"{doctor.pk}::{start.isoformat()}", "goal": "осмотр"}
    assert client.post(f"/patients/{visit.patient_id}/book/", data).status_code == 303
    response = client.post(f"/patients/{visit.patient_id}/book/", data)
    assert response.status_code == 422
    assert response.context["slots"] and "осмотр" in response.content.decode()
    assert client.post(f"/patients/{visit.patient_id}/book/", data | {"overlap": "on"}).status_code == 303
    assert Visit.objects.filter(start_at=start).count() == 2
    for bad in ("1:2", f"{doctor.pk}::yesterday", f"x:{doctor.pk}:", "9" * 40 + "::" + start.isoformat()):
        assert client.post(f"/patients/{visit.patient_id}/book/", data | {"slot": bad}).status_code == 422


def test_a_visit_is_moved_to_a_typed_day_and_time(sign_in, visit, doctor, noon):
    client, day = sign_in(), (noon + timedelta(days=2)).date()
    data = {"doctor": doctor.pk, "minutes": "45", "day": day.isoformat(), "time": "10:15"}
    assert client.post(f"/visits/{visit.pk}/move/", data).status_code == 303
    visit.refresh_from_db()
    assert (visit.start_at.hour, visit.start_at.minute) == (7, 15)
    assert visit.end_at - visit.start_at == timedelta(minutes=45)


def test_every_opening_of_a_card_is_logged_with_the_names_of_the_fields(sign_in, visit):
    client = sign_in()
    client.get(f"/patients/{visit.patient_id}/")
    entry = AuditEntry.objects.get(deed="see_card")
    assert (entry.patient_id, entry.actor_id) == (visit.patient_id, client.user.pk)
    assert "phones" in entry.fields and "diagnosis" not in entry.fields


@pytest.mark.parametrize(("role", "seen"), [("doctor", True), ("administrator", False)])
def test_a_diagnosis_is_for_medical_eyes_and_money_for_the_others(sign_in, visit, role, seen):
    Visit.objects.filter(pk=visit.pk).update(diagnosis="J06", status="completed")
    make.payment(visit.patient, 777700, visit=visit)
    page = sign_in(role).get(f"/patients/{visit.patient_id}/").content.decode()
    assert ("J06" in page) is seen
    assert ("7\u00a0777" in page) is not seen


def test_a_merged_record_leads_to_the_survivor_who_has_the_facts_of_both(sign_in, visit, doctor):
    survivor = make.patient(branch=make.default_branch())
    Patient.objects.filter(pk=visit.patient_id).update(merged_into=survivor, canonical=survivor)
    client = sign_in()
    assert client.get(f"/patients/{visit.patient_id}/")["Location"] == f"/patients/{survivor.pk}/"
    assert doctor.name in client.get(f"/patients/{survivor.pk}/").content.decode()


def new_patient(**more):
    return {
        "key": str(uuid.uuid4()),
        "last_name": "Сидорова",
        "first_name": "Анна",
        "birth_date": "1990-05-17",
        "phones": "8 912 345-67-89, 8 (495) 123-45-67",
        "branch": make.default_branch().pk,
        "language": "ru",
        "how": "paper",
    } | more


def test_a_new_patient_is_entered_once_with_consents_apart(sign_in, db):
    client, data = sign_in(), new_patient(processing="on", marketing=["sms"])
    assert [client.post("/patients/new/", data).status_code for _ in range(2)] == [303, 303]
    patient = Patient.objects.get()
    assert [phone.number for phone in patient.phones.all()] == ["+79123456789", "+74951234567"]
    facts = Consent.objects.order_by("id").values_list("purpose", "transport", "given")
    assert list(facts) == [("processing", "", True), ("marketing", "sms", True)]
    assert all(line.text_hash and line.text_version for line in Consent.objects.all())


def test_no_consent_is_ticked_beforehand(sign_in, db):
    client = sign_in()
    assert client.post("/find/", {"add": "петров 8912"})["Location"] == "/patients/new/"
    page = client.get("/patients/new/").content.decode()
    assert "checked" not in page
    assert 'value="Петров"' in page


def test_people_alike_are_shown_before_anything_is_saved(sign_in, db):
    client = sign_in()
    client.post("/patients/new/", new_patient())
    response = client.post("/patients/new/", new_patient())
    assert response.status_code == 422 and response.context["alike"]
    assert Patient.objects.count() == 1
    assert client.post("/patients/similar/", new_patient()).context["alike"]
    assert client.post("/patients/new/", new_patient(seen_similar="on")).status_code == 303
    assert Patient.objects.count() == 2


def test_a_child_joins_the_family_of_the_adult(sign_in, db):
    client = sign_in()
    client.post("/patients/new/", new_patient())
    adult = Patient.objects.get()
    data = new_patient(last_name="Сидоров", first_name="Петя", birth_date="2020-01-01", phones="")
    response = client.post("/patients/new/", data | {"responsible_adult": adult.pk, "seen_similar": "on"})
    assert response.status_code == 303
    child = Patient.objects.exclude(pk=adult.pk).get()
    adult.refresh_from_db()
    assert child.household == adult.household and child.household is not None
    assert "Петя" in client.get(f"/patients/{adult.pk}/").content.decode()


def test_a_bad_phone_is_explained_and_what_was_typed_stays(sign_in, db):
    response = sign_in().post("/patients/new/", new_patient(phones="7,91E+10"))
    assert response.status_code == 422 and "Сидорова" in response.content.decode()


def test_a_patient_is_corrected(sign_in, visit):
    client = sign_in()
    data = new_patient(last_name="Орлова", phones="+79990001122")
    assert client.post(f"/patients/{visit.patient_id}/edit/", data).status_code == 303
    assert find_patients(text="1122", by=make.actor()).hits[0].full_name.startswith("Орлова")
    assert AuditEntry.objects.filter(deed="edit_patient").get().fields


def test_a_consent_is_withdrawn_by_a_new_line(sign_in, visit):
    client = sign_in()
    for decision in ("yes", "no"):
        data = {"purpose": "marketing", "transport": "", "given": decision, "how": "paper", "evidence": "папка 3"}
        assert client.post(f"/patients/{visit.patient_id}/consents/", data).status_code == 303
    assert list(Consent.objects.order_by("id").values_list("given", flat=True)) == [True, False]


def test_a_work_item_is_taken_closed_and_called_again(sign_in, visit):
    client = sign_in()
    data = {"note": "перезвонить", "day": datetime.now(UTC).date().isoformat(), "time": "10:00"}
    assert client.post(f"/patients/{visit.patient_id}/work/", data).status_code == 303
    item = WorkItem.objects.get()
    client.post(f"/work/{item.pk}/claim/")
    item.refresh_from_db()
    assert item.assignee == client.user
    sent = {"outcome": "no_answer", "note": "занято", "call_day": "2027-01-15"}
    assert client.post(f"/work/{item.pk}/close/", sent).status_code == 303
    again = WorkItem.objects.exclude(pk=item.pk).get()
    assert (again.status, again.due_at.date().isoformat()) == ("open", "2027-01-15")
    client.post(f"/work/{item.pk}/close/", {"outcome": "done"})
    assert WorkItem.objects.count() == 2


def test_the_work_list_goes_on_where_its_page_ended(sign_in, visit, noon):
    for n in range(60):
        WorkItem.objects.create(
            kind="call_back", patient=visit.patient, branch=visit.branch, due_at=noon, created_at=noon, note=f"№{n}."
        )
    client, seen = sign_in(), []
    url = "/work/"
    for _ in range(2):
        response = client.get(url)
        seen += [item.pk for item in response.context["items"]]
        url = f"/work/?after={response.context['after']}"
    assert len(seen) == len(set(seen)) == 60


@pytest.mark.parametrize("order", ["name", "value"])
def test_the_list_of_patients_goes_on_where_its_page_ended(sign_in, db, order):
    from loyalty.actions import refresh_values

    for n in range(120):
        made = make.patient(branch=make.default_branch(), last_name=f"Ким{n % 7}", first_name=f"Н{n % 3}")
        make.payment(made, 100 + n % 5)
    refresh_values(patients=None, now=datetime.now(UTC))
    client, seen, after = sign_in("owner"), [], ""
    for _ in range(3):
        found = client.get(f"/patients/?order={order}&after={after}").context["found"]
        seen += [row.patient.pk for row in found.rows]
        after = found.after
    assert len(seen) == len(set(seen)) == 120 and after == ""
    assert client.get("/patients/?after=%00bad&state=nope").status_code == 200


def test_the_timeline_goes_on_where_its_page_ended(sign_in, visit, doctor, noon):
    for n in range(40):
        made = make.visit(visit.patient, doctor=doctor, start=noon - timedelta(days=n), may_overlap=True)
        make.payment(visit.patient, 1000, visit=made, at=noon - timedelta(days=n))
    client, seen = sign_in(), []
    response = client.get(f"/patients/{visit.patient_id}/")
    while True:
        seen += [(one.kind, one.id) for one in response.context["moments"]]
        after = response.context["after"]
        if not after:
            break
        response = client.get(f"/patients/{visit.patient_id}/timeline/?after={after}", headers={"HX-Request": "true"})
    assert len(seen) == len(set(seen)) == 81
    assert client.get(f"/patients/{visit.patient_id}/timeline/?after=bad").status_code == 200


def test_find_knows_parts_of_names_ends_of_phones_and_cards(db):
    from core.phones import parse_phones
    from patients.actions import register_patient
    from patients.actions.people_desk import PatientDraft

    draft = PatientDraft(
        last_name="Ёлкина",
        first_name="Мария",
        branch=make.default_branch(),
        phones=parse_phones("+79161234567"),
        card_number="А-77",
    )
    made = register_patient(draft=draft, submission_key="k", by=make.actor(), now=datetime.now(UTC))
    for text in ("елк", "мария ёлк", "4567", "89161234567", "+7 916 123-45-67", "а-77", "ЁЛКИНА"):
        assert [hit.id for hit in find_patients(text=text, by=make.actor()).hits] == [made.pk], text
    for text in ("", "   ", "4568", "Петрова", "%", "_"):
        assert find_patients(text=text, by=make.actor()).hits == [], text


def test_find_shows_twenty_and_says_that_there_are_more(db):
    for n in range(30):
        make.patient(search=f"петров{n:02} иван", last_name=f"Петров{n:02}", branch=make.default_branch())
    found = find_patients(text="петров", by=make.actor())
    assert (len(found.hits), found.more) == (20, True)


def test_enter_opens_the_first_hit_and_a_stranger_is_offered_as_new(sign_in, visit):
    Patient.objects.filter(pk=visit.patient_id).update(search="кузнецов иван")
    client = sign_in()
    assert client.post("/find/", {"q": "кузн"})["Location"] == f"/patients/{visit.patient_id}/"
    page = client.post("/find/", {"q": "Нетникого"}).content.decode()
    assert 'name="add" value="Нетникого"' in page


def test_everybody_begins_where_his_work_is(sign_in, db):
    assert sign_in("administrator").get("/")["Location"] == "/today/"
    assert sign_in("doctor").get("/")["Location"] == "/today/"


def test_whose_visit_ended_without_a_next_booking_stands_beside_the_day(sign_in, visit):
    Visit.objects.filter(pk=visit.pk).update(status="completed")
    assert [one.pk for one in sign_in().get("/today/").context["queue"].no_next] == [visit.pk]


def test_birthdays_are_found_whatever_the_year(sign_in, db):
    day = datetime.now(UTC).date()
    born = make.patient(branch=make.default_branch(), birth_date=day.replace(year=1988, day=min(day.day, 28)))
    page = sign_in().get(f"/today/?day={day.replace(day=min(day.day, 28)).isoformat()}")
    assert [one.pk for one in page.context["queue"].birthdays] == [born.pk]
