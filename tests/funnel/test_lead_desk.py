"""A lead at the desk: the booking keeps it, Today shows who waits, the work list leads to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from funnel.actions.desk import offer_alternative
from funnel.queries.leads import waiting
from staff.models import Shift
from tests import make
from tests.funnel.test_lead_pages import ask, signed_in

pytestmark = pytest.mark.django_db


def slot_of(doctor, start) -> dict:
    return {"doctor": doctor.pk, "minutes": "30", "slot": f"{doctor.pk}::{start.isoformat()}", "goal": "осмотр"}


def test_a_booking_keeps_the_lead_answers_it_and_the_offer_saved_it():
    lead, client, doctor = ask(), signed_in("administrator"), make.doctor()
    person = make.patient()
    offered = offer_alternative(lead=lead, kind="day", by=make.actor(), now=datetime.now(UTC))
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    Shift.objects.create(doctor=doctor, branch=person.branch, start_at=start, end_at=start + timedelta(hours=1))
    url = f"/patients/{person.pk}/book/?lead={lead.pk}"
    assert client.get(url).status_code == 200
    answer = client.post(url, slot_of(doctor, start))
    assert answer.status_code == 303, answer.content.decode()
    lead.refresh_from_db()
    offered.refresh_from_db()
    assert (lead.stage, lead.patient_id, lead.bookings.count()) == ("booked", person.pk, 1)
    assert lead.first_response_at is not None and offered.accepted_at is not None
    assert not waiting(make.actor()).exists()


def test_a_booking_for_another_branch_s_lead_is_not_there():
    lead, branch = ask(1, branch=make.branch()), make.branch()
    person = make.patient(branch=branch)
    client = signed_in("administrator", branch=branch)
    assert client.get(f"/patients/{person.pk}/book/?lead={lead.pk}").status_code == 404


def test_who_waits_stands_beside_the_day():
    lead = ask()
    page = signed_in("administrator").get("/today/")
    assert [row.lead.pk for row in page.context["waiting"]] == [lead.pk]
    assert f"/leads/{lead.pk}/answered/" in page.content.decode()


def test_a_call_that_is_due_leads_to_the_lead_of_a_stranger():
    lead, client = ask(), signed_in("owner")
    client.post(f"/leads/{lead.pk}/no-answer/")
    assert f'href="/leads/{lead.pk}/"' in client.get("/work/").content.decode()
