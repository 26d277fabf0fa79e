"""Answers of patients: applied where there is no doubt, else put before a person; doubled ones change nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from messaging import actions
from messaging.models import Message, PromotionHold, Reply, Suppression, TelegramChat
from patients.models import Consent, PatientPhone, Touchpoint, WorkItem
from staff.models import AuditEntry
from tests import make
from tests.messaging.outbox import NOON, queued

pytestmark = pytest.mark.django_db
PHONE = "+79161234567"
EVENT = count(1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def visit_of(patient, start=NOON + DAY):
    return make.visit(patient, start=start, status="scheduled")


def asked(patient, visit=None, *, sent=NOON - HOUR, address=PHONE, transport="sms", **fields) -> Message:
    """A message that was sent to the patient about the visit."""
    about = {"visit": visit, "about_at": visit.start_at if visit and "purpose" not in fields else None}
    row = queued(patient, transport=transport, address=address, state="sent", **about, **fields)
    Message.objects.filter(pk=row.pk).update(sent_at=sent)
    return row


def feedback(patient, visit, **fields) -> Message:
    return asked(patient, visit, purpose="feedback", automation="feedback", **fields)


def reply(text: str, *, address=PHONE, transport="sms", at=NOON, event=None, hint=None) -> Reply:
    said = {"text": text, "received_at": at, "answers_hint": hint, "address": address, "transport": transport}
    return actions.take_reply(event_id=event or f"e{next(EVENT)}", now=NOON, **said)


def confirmed(visit) -> bool:
    visit.refresh_from_db()
    return visit.confirmed_at is not None


class TestYes:
    def test_it_confirms_exactly_the_visit_that_the_message_asked_about(self):
        patient = make.patient(phone=PHONE)
        visit, other = visit_of(patient), visit_of(patient, NOON + 9 * DAY)
        row = asked(patient, visit)
        found = reply("Да!")
        assert confirmed(visit) and not confirmed(other)
        assert (found.meaning, found.applied, found.patient, found.answers) == ("confirm", True, patient, row)
        assert found.answered_at == NOON and found.answered_by is None
        assert not WorkItem.objects.exists()
        assert AuditEntry.objects.filter(deed="confirm_visit", object_id=visit.pk).count() == 1

    def test_a_doubled_one_changes_nothing(self):
        patient = make.patient(phone=PHONE)
        asked(patient, visit_of(patient))
        first, entries = reply("1", event="same"), AuditEntry.objects.count()
        again = reply("1", event="same")
        assert again.pk == first.pk and Reply.objects.count() == 1 and AuditEntry.objects.count() == entries

    def test_on_a_phone_of_two_it_confirms_nobody(self):
        mother, child = make.patient(phone=PHONE), make.patient(phone=PHONE)
        visits = visit_of(mother), visit_of(child)
        asked(child, visits[1])
        found = reply("да")
        assert not confirmed(visits[0]) and not confirmed(visits[1])
        assert (found.applied, found.patient, found.answers) == (False, None, None)
        assert set(found.owners.all()) == {mother, child}
        assert WorkItem.objects.get().kind == "reply"

    def test_of_two_open_visits_that_were_asked_about_it_confirms_neither(self):
        patient = make.patient(phone=PHONE)
        visits = visit_of(patient), visit_of(patient, NOON + 2 * DAY)
        asked(patient, visits[0], sent=NOON - 3 * HOUR)
        asked(patient, visits[1])
        assert not reply("да").applied
        assert not any(confirmed(visit) for visit in visits)

    def test_a_visit_that_was_confirmed_before_is_no_doubt(self):
        patient = make.patient(phone=PHONE)
        first, second = visit_of(patient), visit_of(patient, NOON + 2 * DAY)
        asked(patient, first, sent=NOON - 3 * HOUR)
        assert reply("да", at=NOON - 2 * HOUR).applied
        asked(patient, second)
        assert reply("да").applied and confirmed(second)

    def test_the_childs_visit_is_confirmed_from_the_adults_phone(self):
        mother = make.patient(phone=PHONE)
        child = make.patient(responsible_adult=mother)
        visit = visit_of(child)
        asked(child, visit)
        assert reply("да").applied and confirmed(visit)

    @pytest.mark.parametrize("spoiled", ["moved", "cancelled", "past", "grouped", "late", "advert", "nothing"])
    def test_what_is_in_doubt_is_never_confirmed(self, spoiled):
        patient = make.patient(phone=PHONE)
        visit = visit_of(patient)
        row = asked(patient, visit) if spoiled != "nothing" else None
        at = NOON
        if spoiled == "moved":
            visit.start_at, visit.end_at = visit.start_at + HOUR, visit.end_at + HOUR
        elif spoiled == "cancelled":
            visit.status = "cancelled_patient"
        elif spoiled == "past":
            visit.start_at = visit.end_at = NOON - HOUR
            Message.objects.update(about_at=visit.start_at)
        elif spoiled == "grouped":
            queued(patient, state="skipped", address=PHONE)
            Message.objects.exclude(pk=row.pk).update(grouped_into=row)
        elif spoiled == "late":
            at = NOON - 2 * HOUR
            asked(patient, visit, sent=NOON - 3 * HOUR)
        elif spoiled == "advert":
            asked(patient, None, sent=NOON - timedelta(minutes=1))
        visit.save()
        found = reply("да", at=at)
        assert not found.applied and not confirmed(visit)
        assert WorkItem.objects.filter(kind="reply", status="open").count() == 1

    def test_the_message_that_the_provider_names_is_the_one_that_is_answered(self):
        patient = make.patient(phone=PHONE)
        visit = visit_of(patient)
        asked(patient, visit, sent=NOON - 3 * HOUR, client_id="ours-1")
        asked(patient, None)
        assert reply("да", hint="ours-1").applied and confirmed(visit)

    def test_a_hint_to_a_message_of_somebody_else_helps_nobody(self):
        patient, other = make.patient(phone=PHONE), make.patient()
        visit = visit_of(other)
        asked(other, visit, address="+79990000000", client_id="theirs")
        assert not reply("да", hint="theirs").applied and not confirmed(visit)
        assert patient.pk

    def test_quoting_a_message_in_telegram_is_beyond_doubt_even_in_a_shared_chat(self):
        mother, child = make.patient(), make.patient()
        for one in (mother, child):
            TelegramChat.objects.create(patient=one, chat_id=777, linked_at=NOON - DAY)
        visits = visit_of(mother), visit_of(child)
        asked(mother, visits[0], transport="telegram", address="777", sent=NOON - 2 * HOUR)
        row = asked(child, visits[1], transport="telegram", address="777")
        Message.objects.filter(pk=row.pk).update(provider_id="777:15")
        assert not reply("да", transport="telegram", address="777").applied
        assert reply("да", transport="telegram", address="777", hint="777:15").applied
        assert confirmed(visits[1]) and not confirmed(visits[0])

    def test_a_phone_written_in_any_way_is_the_same_phone(self):
        patient = make.patient(phone=PHONE)
        visit = visit_of(patient)
        asked(patient, visit)
        assert reply("да", address="79161234567").applied and confirmed(visit)


class TestNo:
    def test_it_cancels_nothing_by_itself_and_stands_before_a_person(self):
        patient = make.patient(phone=PHONE)
        visit = visit_of(patient)
        asked(patient, visit)
        found = reply("Отмените визит, пожалуйста")
        visit.refresh_from_db()
        item = WorkItem.objects.get()
        assert visit.status == "scheduled" and found.meaning == "cancel" and found.answered_at is None
        assert (item.kind, item.visit, item.patient, item.due_at) == ("reply", visit, patient, NOON)
        assert "Отмените визит" in item.note
        assert not Suppression.objects.exists() and not Consent.objects.exists()


class TestStop:
    def test_it_withdraws_the_consent_closes_the_address_and_says_so_once(self):
        patient = make.patient(phone=PHONE)
        found = reply("СТОП")
        reply("stop")
        assert found.applied and found.answered_at == NOON
        closed = Suppression.objects.get()
        assert (closed.transport, closed.address, closed.kind) == ("sms", PHONE, "unsubscribed")
        lines = Consent.objects.order_by("purpose").values_list("patient", "purpose", "transport", "given")
        assert list(lines) == [(patient.pk, "health_offers", "sms", False), (patient.pk, "marketing", "sms", False)]
        assert set(Consent.objects.values_list("how", "actor")) == {("reply", "patient")}
        deeds = AuditEntry.objects.filter(deed__in=("withdraw_consent", "take_reply")).values_list(
            "actor_kind", flat=True
        )
        assert set(deeds) == {"patient"}
        told = Message.objects.get()
        assert (told.purpose, told.address, told.tz) == ("service", PHONE, "")
        assert "Рекламы" in told.text and not WorkItem.objects.exists()

    def test_the_answer_is_in_the_patients_language(self):
        make.patient(phone=PHONE, language="en")
        reply("unsubscribe")
        assert Message.objects.get().text.startswith("We will send you no more advertising")

    def test_a_familys_phone_is_closed_and_no_ledger_is_written_for_all(self):
        make.patient(phone=PHONE), make.patient(phone=PHONE)
        assert reply("стоп").applied
        assert Suppression.objects.filter(kind="unsubscribed").count() == 1 and not Consent.objects.exists()

    def test_a_stranger_is_never_written_to_again(self):
        assert reply("стоп", address="+79990000001").applied
        assert Suppression.objects.get().address == "+79990000001" and not Message.objects.exists()


class TestScore:
    def test_a_good_one_is_noted_on_the_visit(self):
        patient = make.patient(phone=PHONE)
        visit = make.visit(patient, start=NOON - DAY)
        feedback(patient, visit)
        assert reply("5").applied
        touch = Touchpoint.objects.get(kind="feedback")
        assert (touch.patient, touch.visit, touch.outcome, touch.direction) == (patient, visit, "5", "in")
        assert not WorkItem.objects.exists() and not PromotionHold.objects.exists()

    def test_a_low_one_freezes_advertising_and_calls_the_managers(self):
        branch = make.branch(name="Центр")
        patient = make.patient(phone=PHONE, branch=branch)
        visit = make.visit(patient, start=NOON - DAY)
        chief = make.user("manager", phone="+79990000002")
        make.user("manager", branch=make.branch(), phone="+79990000003")
        feedback(patient, visit)
        found = reply("2 - очень долго ждали")
        assert found.applied and found.answered_at is None  # his words are for a person to read
        hold = PromotionHold.objects.get()
        assert (hold.patient, hold.reason, hold.key) == (patient, "low_score", f"score:visit:{visit.pk}")
        assert set(WorkItem.objects.values_list("kind", flat=True)) == {"unhappy", "reply"}
        [alert] = Message.objects.filter(user__isnull=False)
        assert (alert.user, alert.address, alert.not_before) == (chief, "+79990000002", NOON)
        assert "2" in alert.text and "Центр" in alert.text and patient.last_name not in alert.text

    def test_one_is_a_score_when_a_score_was_asked_for(self):
        patient = make.patient(phone=PHONE)
        coming, past = visit_of(patient), make.visit(patient, start=NOON - DAY)
        asked(patient, coming, sent=NOON - 5 * HOUR)
        feedback(patient, past)
        assert reply("1").meaning == "score" and not confirmed(coming)
        assert Touchpoint.objects.get(kind="feedback").outcome == "1"

    def test_of_two_questions_the_number_answers_neither(self):
        patient = make.patient(phone=PHONE)
        visits = make.visit(patient, start=NOON - DAY), make.visit(patient, start=NOON - 2 * DAY)
        for visit in visits:
            feedback(patient, visit)
        found = reply("2")
        assert not found.applied and not Touchpoint.objects.filter(kind="feedback").exists()
        assert WorkItem.objects.get().kind == "unhappy"  # whoever it was, somebody is


class TestAnythingElse:
    def test_it_is_for_a_person_to_read(self):
        patient = make.patient(phone=PHONE)
        found = reply("А можно на час позже?")
        item = WorkItem.objects.get()
        assert (found.meaning, found.applied, found.answered_at, found.patient) == ("other", False, None, patient)
        assert (item.kind, item.patient, item.branch) == ("reply", patient, patient.branch)

    def test_a_stranger_is_read_too_and_nothing_breaks_on_odd_words(self):
        found = reply("\x00Здравствуйте" + "!" * 9000, address="INFO\x00")
        assert found.patient is None and found.address == "INFO" and len(found.text) == 4000
        assert WorkItem.objects.get().patient is None

    def test_merged_records_are_one_owner(self):
        root = make.patient(phone=PHONE)
        other = make.patient(canonical=root, merged_into=root)
        PatientPhone.objects.create(patient=other, number=PHONE)
        assert reply("привет").patient == root

    def test_a_time_that_has_not_come_is_now(self):
        assert reply("привет", at=NOON + DAY).received_at == NOON
