"""The public booking page: a time, a name, a code, done; and what may not happen on the way."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from core.clock import day_start, local_date
from funnel import actions
from funnel.models import LeadBooking, OnlineBooking, PhoneCode
from funnel.queries.booking import manage_path
from funnel.rules.booking import CODE_TRIES, calendar_file
from messaging.models import Message
from patients import actions as patients
from patients.actions.booking import SlotTaken
from patients.actions.holds import LIVE_AT_ONCE
from patients.models import BusyTime, Consent, Patient, SlotHold, Visit
from staff.access import PATIENT
from staff.models import Room, Shift
from tests import make

pytestmark = pytest.mark.django_db
TZ = "Europe/Moscow"
VISITOR = {"first_name": "Анна", "last_name": "Соколова", "phone": "8 912 345-67-89", "processing": "on"}


@pytest.fixture
def clinic():
    """A branch with a doctor on shift tomorrow from 9 to 12, in a room."""
    branch = make.default_branch()
    doctor = make.doctor(branch=branch, name="Павлов Иван Петрович", speciality="терапия")
    room = Room.objects.create(branch=branch, name="Кабинет 1")
    start = day_start(local_date(datetime.now(UTC), TZ), TZ) + timedelta(days=1, hours=9)
    Shift.objects.create(doctor=doctor, branch=branch, room=room, start_at=start, end_at=start + timedelta(hours=3))
    return branch, doctor, room, start


def value_of(doctor, branch, start):
    return f"{doctor.pk}:{branch.pk}:{start.isoformat()}"


def sent_code():
    return re.search(r"\d{6}", Message.objects.filter(automation="phone_code").latest("pk").text)[0]


def booked(client, branch, doctor, start, **visitor):
    """Through every page; the last answer."""
    base = f"/b/{branch.external_id}"
    client.post(f"{base}/hold/", {"slot": value_of(doctor, branch, start)})
    client.post(f"{base}/who/", VISITOR | visitor)
    return client.post(f"{base}/code/", {"code": sent_code()})


def test_a_visitor_books_a_time_and_becomes_patient_lead_and_visit(clinic):
    branch, doctor, room, start = clinic
    client, base = Client(), f"/b/{branch.external_id}"
    shown = client.get(f"{base}/").content.decode()
    assert value_of(doctor, branch, start) in shown
    answer = booked(client, branch, doctor, start)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{base}/done/")
    visit = Visit.objects.get()
    assert (visit.start_at, visit.doctor, visit.room, visit.status) == (start, doctor, room, "scheduled")
    assert (visit.patient.first_name, visit.patient.last_name) == ("Анна", "Соколова")
    assert visit.patient.phones.get().number == "+79123456789"
    lead = LeadBooking.objects.get(visit=visit).lead
    assert (lead.kind, lead.patient, lead.phone) == ("booking", visit.patient, "+79123456789")
    assert [(one.purpose, one.how) for one in Consent.objects.all()] == [("processing", "form")]
    assert Consent.objects.get().text_hash == lead.consent_text_hash != ""
    assert SlotHold.objects.count() == 0
    done = client.get(f"{base}/done/").content.decode()
    assert manage_path(visit.pk) in done


def test_advertising_is_agreed_to_apart(clinic):
    branch, doctor, _room, start = clinic
    booked(Client(), branch, doctor, start, marketing="on")
    assert set(Consent.objects.values_list("purpose", flat=True)) == {"processing", "marketing"}


def test_without_the_first_agreement_no_code_goes_out(clinic):
    branch, doctor, _room, start = clinic
    client, base = Client(), f"/b/{branch.external_id}"
    client.post(f"{base}/hold/", {"slot": value_of(doctor, branch, start)})
    answer = client.post(f"{base}/who/", VISITOR | {"processing": ""})
    assert answer.status_code == 422
    assert not Message.objects.exists()


def test_a_held_time_is_offered_to_nobody_else_and_comes_back(clinic):
    branch, doctor, _room, start = clinic
    first, second, base = Client(), Client(), f"/b/{branch.external_id}"
    value = value_of(doctor, branch, start)
    first.post(f"{base}/hold/", {"slot": value})
    assert value not in second.get(f"{base}/").content.decode()
    assert first.post(f"{base}/hold/", {"slot": value}).status_code == 303  # his own choice, once more
    answer = second.post(f"{base}/hold/", {"slot": value})
    assert answer.status_code == 409
    assert value_of(doctor, branch, start + timedelta(minutes=30)) in answer.content.decode()
    with pytest.raises(SlotTaken):
        patients.book_visit(
            patient=make.patient(branch=branch),
            doctor=doctor,
            branch=branch,
            start_at=start,
            end_at=start + timedelta(minutes=30),
            by=make.actor(),
            now=datetime.now(UTC),
        )
    SlotHold.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert second.post(f"{base}/hold/", {"slot": value}).status_code == 303


def test_one_address_cannot_keep_the_whole_day(clinic):
    branch, doctor, _room, start = clinic
    answers = []
    for step in range(LIVE_AT_ONCE + 1):
        slot = value_of(doctor, branch, start + timedelta(minutes=30 * step))
        answers.append(Client().post(f"/b/{branch.external_id}/hold/", {"slot": slot}).status_code)
    assert answers == [303] * LIVE_AT_ONCE + [429]


def test_choosing_another_time_lets_the_first_go(clinic):
    branch, doctor, _room, start = clinic
    client, base = Client(), f"/b/{branch.external_id}"
    client.post(f"{base}/hold/", {"slot": value_of(doctor, branch, start)})
    client.post(f"{base}/hold/", {"slot": value_of(doctor, branch, start + timedelta(hours=1))})
    live = SlotHold.objects.live(datetime.now(UTC))
    assert [hold.start_at for hold in live] == [start + timedelta(hours=1)]


def test_a_code_is_good_once_and_for_few_guesses(clinic):
    branch, doctor, _room, start = clinic
    client, base = Client(), f"/b/{branch.external_id}"
    client.post(f"{base}/hold/", {"slot": value_of(doctor, branch, start)})
    client.post(f"{base}/who/", VISITOR)
    right = sent_code()
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for _guess in range(CODE_TRIES):
        assert client.post(f"{base}/code/", {"code": wrong}).status_code == 422
    assert client.post(f"{base}/code/", {"code": right}).status_code == 422
    assert not Visit.objects.exists()
    assert right not in PhoneCode.objects.get().digest


def test_a_code_grows_old(clinic):
    branch, doctor, _room, start = clinic
    client, base = Client(), f"/b/{branch.external_id}"
    client.post(f"{base}/hold/", {"slot": value_of(doctor, branch, start)})
    client.post(f"{base}/who/", VISITOR)
    PhoneCode.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert client.post(f"{base}/code/", {"code": sent_code()}).status_code == 422


def test_a_second_code_must_wait(clinic):
    branch, doctor, _room, start = clinic
    client, base = Client(), f"/b/{branch.external_id}"
    client.post(f"{base}/hold/", {"slot": value_of(doctor, branch, start)})
    client.post(f"{base}/who/", VISITOR)
    assert client.post(f"{base}/code/", {"again": "1"}).status_code == 429
    assert PhoneCode.objects.count() == 1


def test_a_known_phone_and_name_is_the_patient_himself(clinic):
    branch, doctor, _room, start = clinic
    known = make.patient(branch=branch, phone="+79123456789", first_name="Анна", last_name="Соколова")
    booked(Client(), branch, doctor, start)
    assert Visit.objects.get().patient == known


def test_another_name_on_a_familys_phone_is_a_new_record_and_the_pages_look_the_same(clinic):
    branch, doctor, _room, start = clinic
    mother = make.patient(branch=branch, phone="+79123456789", first_name="Мария", last_name="Соколова")
    answer = booked(Client(), branch, doctor, start)
    assert answer.status_code == 303
    assert Visit.objects.get().patient != mother
    assert Patient.objects.count() == 2


def test_a_code_sent_twice_books_once(clinic):
    branch, doctor, _room, start = clinic
    client = Client()
    booked(client, branch, doctor, start)
    again = client.post(f"/b/{branch.external_id}/code/", {"code": "000000"})
    assert again.status_code == 302
    assert Visit.objects.count() == 1


def test_the_link_is_exchanged_and_opening_it_changes_nothing(clinic):
    branch, doctor, _room, start = clinic
    booked(Client(), branch, doctor, start)
    visit, client = Visit.objects.get(), Client()
    opened = client.get(manage_path(visit.pk))
    assert (opened.status_code, opened.headers["Location"]) == (303, "/b/visit/")
    assert client.get("/b/visit/").status_code == 200
    assert client.get("/b/visit/cancel/").status_code == 405
    assert Visit.objects.get().status == "scheduled"
    later = start + timedelta(hours=1)
    assert client.post("/b/visit/move/", {"slot": value_of(doctor, branch, later)}).status_code == 303
    assert Visit.objects.get().start_at == later
    assert client.post("/b/visit/cancel/").status_code == 303
    assert Visit.objects.get().status == "cancelled_patient"


@pytest.mark.parametrize("link", ["1-aaaaaaaaaaaaaaaaaaaaaa", "x", "1"])
def test_a_forged_link_opens_nothing(link):
    assert Client().get(f"/b/visit/{link}/").status_code == 404
    assert Client().get(f"/b/offer/{link}/").status_code == 404


def test_without_the_link_there_is_no_visit_page():
    assert Client().get("/b/visit/").status_code == 404


def test_the_calendar_file_tells_nobody_what_for(clinic):
    branch, doctor, _room, start = clinic
    booked(Client(), branch, doctor, start)
    client = Client()
    client.get(manage_path(Visit.objects.get().pk))
    text = client.get("/b/visit/calendar.ics").content.decode()
    assert f"DTSTART:{start:%Y%m%dT%H%M%SZ}" in text.replace("\r\n ", "")
    assert doctor.name not in text.replace("\r\n ", "")
    assert doctor.speciality not in text.replace("\r\n ", "")


def test_no_line_of_a_calendar_file_is_too_long():
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    text = calendar_file(uid="u", start=now, end=now, title="Приём, " * 30, place="Ул; 1", link="https://x", now=now)
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert "Ул\\; 1" in text


def test_two_doctors_in_one_room_do_not_overlap(clinic):
    branch, doctor, room, start = clinic
    other, now = make.doctor(branch=branch), datetime.now(UTC)
    Shift.objects.create(doctor=other, branch=branch, room=room, start_at=start, end_at=start + timedelta(hours=3))
    span = {
        "start_at": start,
        "end_at": start + timedelta(minutes=30),
        "branch": branch,
        "by": make.actor(),
        "now": now,
    }
    patients.book_visit(patient=make.patient(branch=branch), doctor=doctor, **span)
    with pytest.raises(SlotTaken):
        patients.book_visit(patient=make.patient(branch=branch), doctor=other, **span)
    squeezed = patients.book_visit(patient=make.patient(branch=branch), doctor=other, overlap=True, **span)
    assert squeezed.room == room


def test_the_database_itself_keeps_two_visits_out_of_one_room(clinic):
    from django.db import IntegrityError

    branch, doctor, room, start = clinic
    make.visit(make.patient(branch=branch), doctor=doctor, start=start, status="scheduled", room=room)
    with pytest.raises(IntegrityError, match="no_overlap"):
        make.visit(make.patient(branch=branch), doctor=make.doctor(), start=start, status="scheduled", room=room)


def test_busy_time_of_another_system_is_neither_offered_nor_booked(clinic):
    branch, doctor, _room, start = clinic
    busy = BusyTime.objects.create(doctor=doctor, branch=branch, start_at=start, end_at=start + timedelta(minutes=30))
    value, base = value_of(doctor, branch, start), f"/b/{branch.external_id}"
    assert value not in Client().get(f"{base}/").content.decode()
    assert Client().post(f"{base}/hold/", {"slot": value}).status_code == 409
    BusyTime.objects.filter(pk=busy.pk).update(is_busy=False)
    assert value in Client().get(f"{base}/").content.decode()


def test_what_was_begun_and_not_finished_is_forgotten_a_day_later(clinic):
    branch, doctor, _room, start = clinic
    Client().post(f"/b/{branch.external_id}/hold/", {"slot": value_of(doctor, branch, start)})
    actions.look_after_bookings(now=datetime.now(UTC) + timedelta(days=1, minutes=5))
    assert (OnlineBooking.objects.count(), SlotHold.objects.count()) == (0, 0)


def test_a_patient_cannot_finish_without_a_confirmed_phone(clinic):
    from funnel.actions.booking import Unfinished

    branch, doctor, _room, start = clinic
    Client().post(f"/b/{branch.external_id}/hold/", {"slot": value_of(doctor, branch, start)})
    with pytest.raises(Unfinished):
        actions.finish_booking(booking=OnlineBooking.objects.get(), by=PATIENT, now=datetime.now(UTC))


def test_the_code_really_leaves_and_its_text_is_wiped_when_it_is_over(clinic):
    from messaging.actions.send import send_batch
    from messaging.models import MailboxItem

    branch, doctor, _room, start = clinic
    client, base, now = Client(), f"/b/{branch.external_id}", datetime.now(UTC)
    client.post(f"{base}/hold/", {"slot": value_of(doctor, branch, start)})
    client.post(f"{base}/who/", VISITOR)
    code = sent_code()
    send_batch(transport="sms", owner="test", now=datetime.now(UTC))
    message = Message.objects.get()
    assert (message.state, message.basis) == ("sent", "service")
    assert code in MailboxItem.objects.get().text
    actions.look_after_bookings(now=now + timedelta(minutes=11))
    assert Message.objects.get().text == ""
