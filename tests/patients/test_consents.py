"""Consents of other systems: what they must show, what they cannot know, and that nothing counts before its moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from messaging.queries.policy import may_contact
from patients import actions
from patients.models import Consent
from patients.queries.card import consents_now
from patients.queries.consents import latest_given
from patients.rules.consents import lacks_proof
from tests import make
from tests.patients.intake import mis, patients, run

pytestmark = pytest.mark.django_db
NOW, DAY, MINUTE = make.NOW, timedelta(days=1), timedelta(minutes=1)
LINE = {"external_id": "L1", "patient_id": "P1", "purpose": "marketing", "given": True, "at": "2026-02-01T10:00:00Z"}


@pytest.fixture
def source():
    made = mis()
    patients(made, "P1")
    return made


def says(patient, *, at=NOW - DAY, **fields) -> Consent:
    given = {"purpose": "marketing", "given": True, "how": "paper", "evidence": "папка 1"}
    return Consent.objects.create(patient=patient, at=at, **(given | fields))


def told(patient, now=NOW) -> str:
    return may_contact(patient=patient, purpose="marketing", transport="sms", now=now).reason


@pytest.mark.parametrize("how", ["link", "reply"])
@pytest.mark.parametrize("given", [True, False])
def test_only_our_own_pages_know_who_clicked_and_who_answered(source, how, given):
    [result] = run(actions.record_consents, source, LINE | {"how": how, "given": given, "evidence": "message 5"})
    assert result.errors.keys() == {"how"} and not Consent.objects.exists()


@pytest.mark.parametrize(
    ("how", "bad", "good"),
    [
        ("form", "да", "https://clinic.example/form, IP 203.0.113.9"),
        ("form", "203.0.113.999", "2001:db8::7"),
        ("call", "запись есть", "https://pbx.example/rec/77"),
    ],
)
def test_how_a_person_agreed_to_advertising_is_shown(source, how, bad, good):
    [result] = run(actions.record_consents, source, LINE | {"how": how, "evidence": bad})
    assert result.errors.keys() == {"evidence"}
    [result] = run(actions.record_consents, source, LINE | {"how": how, "evidence": good})
    assert result.status == "created"
    assert told(Consent.objects.get().patient) in ("", "quiet", "no_address")


def test_what_needs_no_proof_is_asked_for_none(source):
    bare = [LINE | {"how": "form", "external_id": f"N{n}"} | more for n, more in enumerate(
        ({"given": False}, {"purpose": "processing"}, {"how": "desk"}, {"how": "imported"}, {"how": ""})
    )]  # fmt: skip
    assert {result.status for result in run(actions.record_consents, source, *bare)} == {"created"}


@pytest.mark.parametrize("how", ["", "imported", "form", "paper", "call", "desk"])
def test_a_bare_yes_of_another_system_is_taken_and_proves_nothing(source, how):
    run(actions.record_consents, source, LINE | {"how": how})
    assert told(Consent.objects.get().patient) == "unproven"


def test_a_link_that_another_system_once_told_us_of_proves_nothing(source):
    ours, theirs = make.patient(phone="+79160000001"), make.patient(phone="+79160000002")
    says(ours, how="link", evidence="")
    says(theirs, how="link", evidence="", source=source, external_id="old")
    assert (told(ours), told(theirs)) == ("", "unproven")


def test_the_hash_of_some_words_is_not_a_proof_that_somebody_said_them():
    patient = make.patient(phone="+79160000001")
    says(patient, how="form", evidence="", text_hash="f" * 64)
    assert told(patient) == "unproven"


def test_a_consent_counts_from_its_own_moment_on():
    patient = make.patient(phone="+79160000001")
    tomorrow = says(patient, at=NOW + DAY)
    assert told(patient) == "no_consent"
    assert latest_given(patient=patient, purpose="marketing", transport="sms", now=NOW) is None
    assert all(one.line is None for one in consents_now([patient.pk], NOW))
    assert told(patient, NOW + DAY) == ""
    assert tomorrow in [one.line for one in consents_now([patient.pk], NOW + DAY)]


def test_a_yes_of_tomorrow_does_not_outlive_the_no_of_today():
    patient = make.patient(phone="+79160000001")
    says(patient, at=NOW + DAY)
    says(patient, given=False, at=NOW - MINUTE)
    assert told(patient) == "withdrawn"


def test_a_no_of_next_year_does_not_silence_the_yes_of_today_but_one_of_a_fast_clock_does():
    patient = make.patient(phone="+79160000001")
    says(patient)
    says(patient, given=False, at=NOW + 300 * DAY)
    assert told(patient) == ""
    says(patient, given=False, at=NOW + 3 * MINUTE)
    assert told(patient) == "withdrawn"


def test_a_date_of_tomorrow_is_refused_at_the_way_in(source):
    late = LINE | {"how": "paper", "evidence": "папка 1"}
    [refused] = run(actions.record_consents, source, late | {"at": (NOW + 6 * MINUTE).isoformat()})
    [taken] = run(actions.record_consents, source, late | {"at": (NOW + 4 * MINUTE).isoformat()})
    assert refused.errors.keys() == {"at"} and taken.status == "created"


def test_words_that_only_look_like_an_address_are_none():
    assert lacks_proof("form", "версия 1.2.3") and not lacks_proof("form", "с адреса [203.0.113.7]")


@pytest.mark.parametrize(("actor", "who"), [("reply by sms", "пациент сам"), ("patient", "пациент сам"),
                                            ("system", "система"), ("Иванова А. А.", "Иванова А. А.")])  # fmt: skip
def test_who_said_it_stands_in_words(actor, who):
    assert Consent(actor=actor).who == who
