"""Consents at the desk: the words in the language shown, and the signed paper."""

from __future__ import annotations

import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from patients.models import Consent, ConsentText
from tests import make

pytestmark = pytest.mark.django_db
FACTS = {"purpose": "marketing", "transport": "sms", "given": "yes", "how": "paper", "evidence": ""}


@pytest.fixture
def desk(client):
    client.force_login(make.user("administrator"))
    return client


def test_the_paper_and_the_very_words_are_kept_with_the_fact(desk):
    patient = make.patient()
    paper = SimpleUploadedFile("photo.exe", b"\xff\xd8\xff signed", "image/jpeg")
    answer = desk.post(f"/patients/{patient.pk}/consents/", FACTS | {"scan": paper})
    assert answer.status_code == 303
    line = Consent.objects.get(patient=patient)
    assert line.scan.content_type == "image/jpeg"
    text = ConsentText.objects.get(hash=line.text_hash)
    assert hashlib.sha256(text.body.encode()).hexdigest() == line.text_hash
    assert (text.version, text.language) == (line.text_version, "ru")


def test_something_else_than_a_scan_is_refused_and_nothing_is_written(desk):
    patient = make.patient()
    page = SimpleUploadedFile("scan.pdf", b"<html>", "application/pdf")
    answer = desk.post(f"/patients/{patient.pk}/consents/", FACTS | {"scan": page})
    assert answer.status_code == 422 and not Consent.objects.exists()
