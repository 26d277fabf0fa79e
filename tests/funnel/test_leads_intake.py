"""Leads come in by rows, visits name them, and stages follow from the facts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.actions.incoming import Enquiry, answer_lead, take_lead
from funnel.actions.intake import record_leads, record_visits
from funnel.actions.stages import advance_leads, advance_leads_of, link_visit
from funnel.models import Lead, LeadBooking, LeadStage
from patients.models import Visit
from staff.models import Source
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
BY = make.actor()


@pytest.fixture
def source():
    return Source.objects.create(code="mis")


def lead_row(code="L1", **more):
    return {"external_id": code, "created_at": "2026-02-20T09:00:00Z", "kind": "call", **more}


def put(source, *rows, action=record_leads):
    return action(source=source, rows=list(rows), by=BY, now=NOW)


def visit_row(source, code="V1", **more):
    patient = make.patient(source=source, external_id=f"P-{code}")
    doctor = make.doctor(source=source, external_id=f"D-{code}")
    return {
        "external_id": code,
        "patient_id": patient.external_id,
        "doctor_id": doctor.external_id,
        "booked_at": "2026-02-20T10:00:00Z",
        "start_at": "2026-02-25T10:00:00Z",
        "end_at": "2026-02-25T10:30:00Z",
        "status": "completed",
    } | more


def test_the_same_rows_again_change_nothing(source):
    make.default_branch()
    rows = [lead_row(), lead_row("L2", duplicate_of="L1"), lead_row("L3", phone="8 912 345-67-89")]
    assert [r.status for r in put(source, *rows)] == ["created"] * 3
    assert [r.status for r in put(source, *rows)] == ["unchanged"] * 3
    assert Lead.objects.get(external_id="L2").duplicate_of.external_id == "L1"
    assert Lead.objects.get(external_id="L3").phone == "+79123456789"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"first_response_at": "2026-02-20T08:59:59Z"}, "first_response_at"),
        ({"duplicate_of": "L1"}, "duplicate_of"),
        ({"duplicate_of": "nobody"}, "duplicate_of"),
        ({"patient_id": "nobody"}, "patient_id"),
        ({"channel_id": "nowhere"}, "channel_id"),
        ({"phone": "abc"}, "phone"),
        ({"kind": ""}, "kind"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_row_is_refused_with_its_field(source, more, field):
    make.default_branch()
    (result,) = put(source, lead_row(**more))
    assert result.errors.keys() == {field}
    assert not Lead.objects.exists()


def test_a_visit_names_its_lead_changes_it_and_takes_it_back(source):
    make.default_branch()
    put(source, lead_row("L1"), lead_row("L2"))
    row = visit_row(source, lead_id="L1")
    assert [r.status for r in put(source, row, action=record_visits)] == ["created"]
    assert [r.status for r in put(source, row, action=record_visits)] == ["unchanged"]
    assert Lead.objects.get(external_id="L1").stage == "came"
    assert [r.status for r in put(source, row | {"lead_id": "L2"}, action=record_visits)] == ["updated"]
    stages = dict(Lead.objects.values_list("external_id", "stage"))
    assert stages == {"L1": "lead", "L2": "came"}
    put(source, {"external_id": "V1", "goal": "осмотр"}, action=record_visits)
    assert LeadBooking.objects.get().lead.external_id == "L2", "a row that does not speak of the lead leaves it alone"
    put(source, {"external_id": "V1", "lead_id": None}, action=record_visits)
    assert not LeadBooking.objects.exists()


def test_an_unknown_lead_refuses_the_visit(source):
    make.default_branch()
    (result,) = put(source, visit_row(source, lead_id="nobody"), action=record_visits)
    assert result.errors.keys() == {"lead_id"}
    assert not Visit.objects.exists()


def test_stages_follow_the_facts_both_ways(source):
    make.default_branch()
    put(source, lead_row())
    put(source, visit_row(source, lead_id="L1", status="scheduled"), action=record_visits)
    lead, visit = Lead.objects.get(), Visit.objects.get()
    assert lead.stage == "booked"
    Visit.objects.filter(pk=visit.pk).update(status="completed")
    paid = make.payment(visit.patient, 100_00, visit=visit)
    advance_leads_of([visit.patient_id])
    assert Lead.objects.get().stage == "paid"
    make.payment(visit.patient, 100_00, refund_of=paid)
    advance_leads_of([visit.patient_id])
    assert Lead.objects.get().stage == "came", "all of it was refunded"
    make.visit(visit.patient, start=NOW)
    friend = make.patient(referrer=visit.patient)
    make.visit(friend, start=NOW + timedelta(days=1))
    advance_leads_of([friend.pk])
    assert Lead.objects.get().stage == "recommended"
    assert set(LeadStage.objects.values_list("stage", flat=True)) == {"lead", "booked", "came", "repeat", "recommended"}


def test_a_person_who_asks_again_is_one_lead():
    branch = make.default_branch()
    first = take_lead(enquiry=Enquiry("form", NOW, phone="8 912 345-67-89", name="Анна", branch=branch), by=BY, now=NOW)
    again = take_lead(enquiry=Enquiry("call", NOW, phone="+7 912 345 67 89", email="a@example.ru"), by=BY, now=NOW)
    by_mail = take_lead(enquiry=Enquiry("email", NOW, email="A@example.ru "), by=BY, now=NOW)
    assert again.duplicate_of_id == first.pk == by_mail.duplicate_of_id
    assert Lead.objects.get(pk=first.pk).email == "a@example.ru"
    answered = answer_lead(lead=by_mail, by=BY, now=NOW + timedelta(seconds=40))
    assert answered.pk == first.pk
    assert Lead.objects.filter(first_response_at=NOW + timedelta(seconds=40)).count() == 3
    assert answered.stage == "contacted"


def test_the_same_event_again_is_the_same_row(source):
    enquiry = Enquiry("form", NOW, source=source, external_id="e1", phone="89123456789")
    assert take_lead(enquiry=enquiry, by=BY, now=NOW).pk == take_lead(enquiry=enquiry, by=BY, now=NOW).pk


def test_a_lost_lead_who_asks_again_begins_anew():
    first = take_lead(enquiry=Enquiry("form", NOW, phone="89123456789"), by=BY, now=NOW)
    Lead.objects.filter(pk=first.pk).update(lost_at=NOW, loss_reason="price")
    assert take_lead(enquiry=Enquiry("form", NOW, phone="89123456789"), by=BY, now=NOW).duplicate_of is None


def test_a_shared_phone_is_nobody_in_particular():
    one = make.patient(phone="+79123456789")
    lead = take_lead(enquiry=Enquiry("call", NOW, phone="89123456789"), by=BY, now=NOW)
    assert lead.patient_id == one.pk
    Lead.objects.all().delete()
    make.patient(phone="+79123456789")
    assert take_lead(enquiry=Enquiry("call", NOW, phone="89123456789"), by=BY, now=NOW).patient is None


def test_a_linked_visit_tells_who_the_lead_is():
    lead = take_lead(enquiry=Enquiry("walk_in", NOW, name="Анна"), by=BY, now=NOW)
    visit = make.visit(make.patient(), start=NOW + timedelta(days=2), status="scheduled", booked_at=NOW)
    link_visit(lead=lead, visit=visit, by=BY, now=NOW)
    lead.refresh_from_db()
    assert (lead.stage, lead.patient_id) == ("booked", visit.patient_id)


def test_advancing_is_as_many_statements_for_many(source, django_assert_num_queries):
    make.default_branch()
    put(source, *(lead_row(f"L{n}") for n in range(30)))
    for ids in (list(Lead.objects.values_list("pk", flat=True))[:1], list(Lead.objects.values_list("pk", flat=True))):
        with django_assert_num_queries(5):
            advance_leads(ids)
