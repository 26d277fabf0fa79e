"""Public doors: a stranger's enquiry arrives once, with what was agreed to; what looks like spam is marked, not lost."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client

from funnel.actions import doors
from funnel.actions.public import consents_to_ledger
from funnel.models import Lead, LeadConsent, LeadPost
from funnel.rules.public import make_token, origin_of, read_token
from messaging.rules.signature import sign
from patients.models import Consent
from tests import make

pytestmark = pytest.mark.django_db
WORDS = (
    doors.Words("processing", "ru", "Согласен на обработку"),
    doors.Words("marketing", "ru", "Согласен на рекламу"),
)
GOOD = {"name": "Анна", "phone": "8 912 345-67-89", "text": "Можно завтра?", "processing": "on"}


@pytest.fixture
def form():
    draft = doors.FormDraft("site", "Сайт", WORDS, sites=("https://clinic.example",))
    return doors.save_form(draft=draft, by=make.actor(), now=make.NOW)


def token(ago: float = 30, nonce: str = "a" * 32, code: str = "site") -> str:
    return make_token(code, datetime.now(UTC) - timedelta(seconds=ago), nonce, secret=settings.SECRET_KEY)


def post(path: str = "/w/site/", **fields):
    return Client(enforce_csrf_checks=True).post(path, GOOD | {"token": token()} | fields)


def test_an_enquiry_without_cookies_becomes_a_lead_with_proof(form):
    answer = post(marketing="on", utm_source="yandex", page="https://clinic.example/price?x=1")
    assert answer.status_code == 200 and not answer.cookies
    lead = Lead.objects.get()
    assert (lead.name, lead.phone, lead.page) == ("Анна", "+79123456789", "https://clinic.example/price")
    assert lead.utm == {"source": "yandex"} and not lead.is_spam
    assert lead.consent_text_hash == hashlib.sha256("Согласен на обработку".encode()).hexdigest()
    assert set(lead.consents.values_list("purpose", flat=True)) == {"processing", "marketing"}


def test_without_the_first_consent_nothing_is_taken_and_advertising_is_not_assumed(form):
    assert post(processing="").status_code == 422 and not Lead.objects.exists()
    post()
    assert list(LeadConsent.objects.values_list("purpose", flat=True)) == ["processing"]


def test_the_policy_has_no_script_and_names_who_may_frame(form):
    framed, alone = Client().get("/w/site/"), Client().get("/f/site/")
    policy = framed["Content-Security-Policy"]
    assert "frame-ancestors https://clinic.example" in policy and "script-src 'none'" in policy
    assert "X-Frame-Options" not in framed and not framed.cookies
    assert "frame-ancestors 'none'" in alone["Content-Security-Policy"] and alone["X-Frame-Options"] == "DENY"
    assert b"<script" not in framed.content


def forged() -> str:
    """With another last digit, whatever it is."""
    good = token()
    return good[:-1] + ("0" if good[-1] != "0" else "1")


# Made when the test runs: a token made while tests are collected grows older than the test means.
BAD_TOKENS = {
    "none": lambda: "",
    "no token": lambda: "x",
    "stale": lambda: token(ago=13 * 3600),
    "of another form": lambda: token(code="other"),
    "forged": forged,
    "of the future": lambda: token(ago=-3600),
}


@pytest.mark.parametrize("bad", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_strange_or_stale_token_asks_again_and_loses_nothing_typed(form, bad):
    answer = post(token=bad())
    assert answer.status_code == 422 and not Lead.objects.exists()
    assert "8 912 345-67-89" in answer.content.decode()
    again = answer.context["token"]
    assert post(token=again).status_code == 200 and not Lead.objects.get().is_spam


def test_a_second_press_is_the_same_lead_and_another_phone_is_asked_about(form):
    assert [post().status_code for _press in range(2)] == [200, 200]
    assert post(phone="+7 999 000-00-00").status_code == 422
    assert Lead.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "ago", "reason"),
    [({"website": "x"}, 30, "trap"), ({}, 0, "fast"), ({"text": "http://a http://b http://c"}, 30, "links")],
)
def test_what_looks_like_spam_is_kept_with_the_reason(form, fields, ago, reason):
    assert post(token=token(ago=ago), **fields).status_code == 200
    assert Lead.objects.get().is_spam and LeadPost.objects.get().suspicion == reason


def test_fifty_posts_are_all_kept_and_the_flood_is_marked(form):
    for number in range(50):
        assert post(token=token(nonce=f"{number:032x}"), phone=f"+7912000{number:04}").status_code == 200
    assert Lead.objects.count() == 50
    assert LeadPost.objects.filter(suspicion="network").count() == 40 == Lead.objects.filter(is_spam=True).count()


def test_a_name_cannot_bring_markup_or_headers(form):
    post(name="<b>x</b>\r\nSet-Cookie: a=b\x00", phone="no")
    answer = post(name="<b>x</b>\r\nSet-Cookie: a=b", phone="no")
    assert answer.status_code == 422 and "<b>x" not in answer.content.decode() and not answer.cookies


def test_too_long_is_refused_before_it_is_read(form):
    assert post(text="x" * 70_000).status_code == 413


@pytest.mark.parametrize("bad", ["javascript:alert(1)", "https://a b", "https://u@x.ru", "https://x;script-src *", ""])
def test_an_origin_is_scheme_host_and_port_and_nothing_else(bad):
    with pytest.raises(ValueError):
        origin_of(bad)
    assert origin_of("HTTPS://Clinic.example:8443/price") == "https://clinic.example:8443"


def test_a_token_is_good_for_its_form_only():
    assert read_token(token(), "site", now=datetime.now(UTC), secrets=["other", settings.SECRET_KEY])
    assert read_token(token(), "site", now=datetime.now(UTC), secrets=["other"]) is None


def test_consents_go_to_the_ledger_once_it_is_known_whose_they_are(form):
    post(marketing="on")
    assert consents_to_ledger(now=make.NOW) == 0
    patient = make.patient(created_at=datetime.now(UTC) + timedelta(days=1))
    Lead.objects.update(patient=patient)
    assert [consents_to_ledger(now=make.NOW) for _run in range(2)] == [2, 0]
    kept = Consent.objects.filter(patient=patient, how="form", given=True)
    assert set(kept.values_list("purpose", flat=True)) == {"processing", "marketing"}
    assert {row.at for row in kept} == {row.at for row in LeadConsent.objects.all()}


def test_whoever_types_the_phone_of_a_patient_cannot_agree_to_adverts_for_him(form):
    patient = make.patient(phone="+79123456789")
    post(marketing="on")
    assert Lead.objects.get().patient_id == patient.pk
    assert consents_to_ledger(now=make.NOW) == 1
    assert set(Consent.objects.filter(patient=patient).values_list("purpose", flat=True)) == {"processing"}


# --- signed posts -----------------------------------------------------------------------------------------------------
@pytest.fixture
def secret() -> str:
    return doors.make_hook(code="site", name="Сайт", branch=None, channel=None, by=make.actor(), now=make.NOW)[1]


TEXT = "Согласен на обработку"
BODY = {
    "event_id": "e1",
    "name": "Анна",
    "phone": "+79123456789",
    "consent": {"text_hash": hashlib.sha256(TEXT.encode()).hexdigest(), "text": TEXT},
}


def send(key: str, body: object = None, *, ago: int = 0, source: str = "site", altered: bytes = b""):
    raw = json.dumps(BODY if body is None else body).encode()
    stamp = (datetime.now(UTC) - timedelta(seconds=ago)).isoformat()
    headers = {"X-Timestamp": stamp, "X-Signature": sign(key, stamp, raw)}
    return Client(enforce_csrf_checks=True).post(
        f"/api/v1/hooks/leads/{source}/", raw + altered, content_type="application/json", headers=headers
    )


def test_a_signed_event_is_one_lead_however_often_it_comes(secret):
    assert [send(secret).status_code for _time in range(3)] == [201, 200, 200]
    assert Lead.objects.get().external_id == "e1" and Lead.objects.get().source.code == "site"


def test_forged_stale_altered_and_unknown_are_refused_alike(secret):
    answers = [send("wrong"), send(secret, ago=400), send(secret, altered=b" "), send(secret, source="none")]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert Client().post("/api/v1/hooks/leads/site/").status_code == 401
    assert not Lead.objects.exists()


def test_the_secret_lies_sealed_and_ends_when_it_is_revoked(secret):
    from funnel.models import LeadHook

    hook = LeadHook.objects.get()
    assert secret.encode() not in bytes(hook.secret)
    doors.revoke_hook(hook=hook, by=make.actor(), now=make.NOW)
    assert send(secret).status_code == 403


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"consent": None}, "consent"),
        ({"consent": {"text_hash": "0" * 64}}, "consent.text_hash"),
        ({"consent": {"text_hash": "0" * 64, "text": TEXT}}, "consent.text_hash"),
        ({"event_id": ""}, "event_id"),
        ({"phone": ""}, "phone"),
        ({"name": ["x"]}, "name"),
        ({"utm": "x"}, "utm"),
        ({"created_at": "yesterday"}, "created_at"),
    ],
)
def test_a_wrong_post_is_told_what_is_wrong(secret, change, field):
    answer = send(secret, BODY | change)
    assert answer.status_code == 422 and list(answer.json()["errors"]) == [field]
    assert not Lead.objects.exists()
