"""The end of advertising by link, and the proof of what went out before it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from messaging.models import Message, Suppression
from messaging.queries.links import unsubscribe_url
from patients.models import Consent
from staff.models import AuditEntry
from tests import make
from tests.messaging.outbox import NOON, approval, queued

pytestmark = pytest.mark.django_db


def consent(patient, *, given=True, at=NOON - timedelta(days=9), **fields):
    defaults = {"purpose": "marketing", "transport": "", "how": "paper", "evidence": "folder 7", "at": at}
    return Consent.objects.create(patient=patient, given=given, **(defaults | fields))


@pytest.fixture
def advert():
    patient = make.patient(phone="+79160000001")
    consent(patient)
    return queued(patient, purpose="marketing", address="+79160000001", approval=approval())


def path_of(message) -> str:
    return unsubscribe_url(message.pk).split("8000", 1)[-1]


def test_a_look_at_the_link_changes_nothing(advert, client):
    for method in (client.get, client.head):
        assert method(path_of(advert)).status_code == 200
    assert Consent.objects.count() == 1 and not Suppression.objects.exists()


def test_one_press_withdraws_for_that_transport_and_closes_the_address(advert, client):
    assert client.post(path_of(advert)).status_code == 200
    lines = Consent.objects.filter(given=False)
    assert {(line.purpose, line.transport, line.how) for line in lines} == {
        ("marketing", "sms", "link"),
        ("health_offers", "sms", "link"),
    }
    assert Suppression.objects.get().kind == "unsubscribed"
    assert AuditEntry.objects.filter(deed="withdraw_consent", patient_id=advert.patient_id).count() == 2


def test_twice_adds_nothing(advert, client):
    for _ in range(2):
        client.post(path_of(advert))
    assert Consent.objects.filter(given=False).count() == 2 and Suppression.objects.count() == 1


def test_everywhere_means_every_transport(advert, client):
    client.post(path_of(advert), {"everywhere": "1"})
    assert set(Consent.objects.filter(given=False).values_list("transport", flat=True)) == {""}


def test_a_mail_program_does_it_with_one_click_without_cookie_or_token(advert):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(path_of(advert), {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert Consent.objects.filter(given=False).exists()


def test_a_forged_link_and_one_for_another_purpose_do_nothing(advert, client):
    for code in ("1-AAAAAAAAAAAAAAAAAAAAAA", "x", "1-", "zz-é", "0" * 300):
        assert client.post(f"/u/{code}/").status_code == 404
    assert not Consent.objects.filter(given=False).exists()


def test_the_page_shows_no_more_of_the_address_than_its_owner_knows(advert, client):
    page = client.get(path_of(advert)).content.decode()
    assert "+7" in page and "79160000001" not in page and advert.patient.last_name not in page


def test_what_waits_stops_at_once(advert, client):
    from messaging.actions import claim

    client.post(path_of(advert))
    assert claim(transport="sms", owner="w", size=10, now=NOON) == []
    advert.refresh_from_db()
    assert (advert.state, advert.reason) in {("skipped", "withdrawn"), ("skipped", "unsubscribed")}


def test_the_proof_pack_quotes_the_words_and_names_who_approved(advert, client):
    from patients.actions.consents import ConsentDraft, record_consent
    from staff.access import SYSTEM

    line = record_consent(
        patient=advert.patient,
        draft=ConsentDraft("marketing", "sms", True, "call", "v7", "Согласен на рекламу.", "rec://1"),
        by=SYSTEM,
        now=NOON - timedelta(days=1),
    )
    Message.objects.filter(pk=advert.pk).update(state="sent", consent=line, sent_at=NOON, decided_at=NOON)
    client.force_login(make.user("owner"))
    page = client.get(f"/messages/{advert.pk}/proof/")
    text = page.content.decode()
    assert page.status_code == 200
    for shown in ("Согласен на рекламу.", "rec://1", line.text_hash, advert.text, str(advert.approval.approved_by)):
        assert shown in text
    assert AuditEntry.objects.filter(deed="read_proof", patient_id=advert.patient_id).exists()
    assert client.get(f"/messages/proof/patients/{advert.patient_id}/").status_code == 200


def test_the_signed_paper_lies_sealed_and_comes_back_whole(advert, admin_like):
    from patients.actions.consents import keep_scan
    from patients.rules.consents import BadScan
    from staff.access import SYSTEM

    paper = b"%PDF-1.4 signed"
    kept = keep_scan(content=paper, by=SYSTEM, now=NOON)
    consent(advert.patient, evidence="", scan=kept)
    assert b"signed" not in bytes(kept.content)
    answer = admin_like.get(f"/messages/proof/scans/{kept.pk}/")
    assert (answer.content, answer.headers["Content-Type"]) == (paper, "application/pdf")
    with pytest.raises(BadScan):
        keep_scan(content=b"<html>", by=SYSTEM, now=NOON)


@pytest.fixture
def admin_like(client):
    client.force_login(make.user("manager"))
    return client
