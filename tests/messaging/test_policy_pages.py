"""What people see of the contact policy: why a message went or not, holds and addresses on the card, budgets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from messaging import actions
from messaging.models import Budget, Message, PromotionHold, Suppression
from patients.models import WorkItem
from staff.models import AuditEntry
from tests import make
from tests.messaging.outbox import NOON, queued
from tests.messaging.test_policy import PHONE, advert, agrees, go

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in():
    def made(role: str) -> Client:
        client = Client()
        client.force_login(make.user(role))
        return client

    return made


def shown(client: Client, name: str, *args: object) -> str:
    response = client.get(reverse(name, args=args))
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def test_the_timeline_says_in_words_why_a_message_went_out_or_not(signed_in):
    patient = agrees()
    advert(patient)
    advert(patient)
    queued(patient, address="")
    go()
    Message.objects.filter(state="inflight").update(state="sent", sent_at=NOON)
    text = shown(signed_in("administrator"), "reception:card", patient.pk).replace("\u00a0", " ")
    assert "Отправлено · основание: согласие от 01.03.2026 (подписанная бумага)" in text
    assert "контактов за период: 1 из 5" in text
    assert "Ждёт до 09.03.2026" in text and "за этот период контактов достаточно" in text
    assert "Не отправлено: нет телефона" in text and "нет телефона и почты" not in text


def test_the_page_of_a_message_says_the_same_in_english_and_names_who_approved(signed_in):
    row = advert(agrees(make.patient(first_name="Анна", phone=PHONE)))
    go()
    client = Client()
    client.force_login(make.user("marketer"))
    client.cookies["language"] = "en"
    text = shown(client, "messaging:message", row.pk)
    assert "Is being handed over" in text and "stands on the consent of 01.03.2026" in text
    assert f"approved by {row.approval.approved_by.full_name} on 02.03.2026" in text
    assert PHONE not in text  # a marketer sees no contacts


def test_the_card_and_the_work_list_say_whether_an_offer_may_be_made_by_phone(signed_in):
    patient = make.patient(phone=PHONE)
    WorkItem.objects.create(kind="call_back", patient=patient, branch=patient.branch, due_at=NOON, created_at=NOON)
    client = signed_in("administrator")
    for page in (shown(client, "reception:offer", patient.pk), shown(client, "reception:work")):
        assert "Не звоните с предложением: нет согласия." in page


def test_advertising_is_frozen_at_the_desk_with_a_reason_and_lifted_with_one(signed_in):
    patient = agrees(make.patient(phone=PHONE))
    client = signed_in("administrator")
    page = reverse("messaging:contact", args=[patient.pk])
    response = client.post(
        reverse("messaging:hold", args=[patient.pk]), {"reason": "bereavement", "until": "", "note": "умер муж"}
    )
    assert response.status_code == 303 and response["Location"] == page
    hold = PromotionHold.objects.get()
    assert "утрата в семье" in client.get(page).content.decode()
    lift = reverse("messaging:lift_hold", args=[patient.pk, hold.pk])
    assert Client().post(lift).status_code in (302, 303)
    assert signed_in("doctor").post(lift, {"note": "x"}).status_code == 403
    assert client.post(lift, {"note": "просит снова"}).status_code == 303
    hold.refresh_from_db()
    assert hold.lifted_at is not None
    notes = AuditEntry.objects.filter(deed="hold_promotions").order_by("id").values_list("note", "patient_id")
    assert list(notes) == [("set: bereavement", patient.pk), ("lifted: bereavement просит снова", patient.pk)]


def test_an_address_is_taken_out_of_use_at_the_desk_and_put_back(signed_in):
    patient, client = make.patient(phone=PHONE, email="Anna@example.com"), signed_in("administrator")
    response = client.post(
        reverse("messaging:suppress", args=[patient.pk]), {"address": "1", "kind": "bounced", "note": ""}
    )
    assert response.status_code == 303
    one = Suppression.objects.get()
    assert (one.transport, one.address) == ("email", "anna@example.com")
    other = make.patient(phone="+79990000001")
    foreign = reverse("messaging:lift_suppression", args=[other.pk, one.pk])
    assert client.post(foreign, {"note": "x"}).status_code == 404
    client.post(reverse("messaging:lift_suppression", args=[patient.pk, one.pk]), {"note": "исправлен"})
    one.refresh_from_db()
    assert one.lifted_at is not None


def test_leaders_change_the_budget_of_all_and_nonsense_is_refused_with_its_field(signed_in):
    client = signed_in("manager")
    page = reverse("messaging:budgets")
    numbers = {"code": "default", "days": 14, "contacts": 4, "promotions": 2, "gap_hours": 72}
    assert client.post(page, numbers).status_code == 303
    assert Budget.objects.values_list("days", "contacts", "promotions", "gap_hours").get() == (14, 4, 2, 72)
    assert client.post(page, numbers | {"days": 400}).status_code == 422
    assert signed_in("administrator").get(page).status_code == 403


def test_another_branchs_patient_is_not_there(signed_in):
    patient = make.patient(phone=PHONE)
    client = Client()
    client.force_login(make.user("administrator", branch=make.branch()))
    assert client.get(reverse("messaging:contact", args=[patient.pk])).status_code == 404


def test_a_hold_that_somebody_lifted_meanwhile_is_no_error(signed_in):
    patient = make.patient()
    hold = actions.hold_promotions(
        patient=patient, reason="by_person", key="x", by=make.actor(), now=NOON, until=NOON + timedelta(days=999)
    )
    client = signed_in("manager")
    lift = reverse("messaging:lift_hold", args=[patient.pk, hold.pk])
    assert [client.post(lift, {"note": "x"}).status_code for _twice in range(2)] == [303, 303]


@pytest.mark.parametrize(
    ("role", "seen"), [("owner", True), ("manager", True), ("marketer", False), ("administrator", False)]
)
def test_what_a_provider_said_is_read_by_who_administers_the_transports(signed_in, role, seen):
    row = queued(agrees(), address=PHONE)
    secret = "no route to +79161112233, ESME_RX_R"
    Message.objects.filter(pk=row.pk).update(state="refused", reason="gateway", detail=secret)
    client, pages = signed_in(role), ["messaging:outbox"]
    texts = [shown(client, name) for name in pages] + [shown(client, "messaging:message", row.pk)]
    if role != "marketer":
        texts.append(shown(client, "reception:card", row.patient_id))
    for text in texts:
        assert ("ESME_RX_R" in text) is seen
        assert "отклонено провайдером" in text


@pytest.mark.parametrize(
    ("transport", "words"), [("telegram", "Telegram не подключён"), ("email", "нет почты"), ("sms", "нет телефона")]
)
def test_each_transport_says_what_is_missing_for_it(signed_in, transport, words):
    row = queued(agrees(), address="", transport=transport, subject="т")
    assert go(transport=transport) == 0
    client = signed_in("administrator")
    texts = [shown(client, "messaging:outbox"), shown(client, "messaging:message", row.pk)]
    texts.append(shown(client, "reception:card", row.patient_id))
    for text in texts:
        assert words in text and "нет телефона и почты" not in text and "некуда написать" not in text


def test_a_withdrawal_by_answer_is_told_as_one_on_the_card_and_in_the_proof(signed_in):
    patient = agrees()
    at = NOON + timedelta(hours=1)
    actions.take_reply(transport="sms", event_id="1", address=PHONE, text="стоп", received_at=at, now=at)
    client = signed_in("owner")
    for text in (shown(client, "reception:card", patient.pk), shown(client, "messaging:patient_proof", patient.pk)):
        assert "ответ на сообщение" in text and "пациент сам" in text
        assert "ссылка в сообщении" not in text and "reply by" not in text
    log = shown(client, "staff:audit")
    assert "пациент сам" in log and "отозвал согласие" in log


def test_the_page_of_consents_leads_back_to_the_card(signed_in):
    patient = make.patient()
    text = shown(signed_in("administrator"), "reception:consent", patient.pk)
    card = reverse("reception:card", args=[patient.pk])
    assert text.count(f'href="{card}"') == 2 and "Назад в карточку" in text and 'class="crumbs"' in text


def test_the_health_page_speaks_russian(signed_in):
    text = shown(signed_in("manager"), "messaging:health")
    assert "72-ФЗ" in text and "72-FZ" not in text and "такт" not in text.replace("контакт", "")
    assert "Последняя проверка очереди" in text


def test_an_automation_that_nobody_was_due_for_does_not_boast(signed_in):
    text = shown(signed_in("marketer"), "messaging:automation", "reminder_24h")
    assert "никому ничего не полагалось" in text and "Написали всем" not in text
