"""SMPP 3.4 against an independent SMSC on a port: binds, parts, receipts, throttling, a line that breaks."""

from __future__ import annotations

import time

import pytest

from messaging import actions
from messaging.models import Message, Reply
from messaging.rules.segments import BASIC, EXTENDED, segments
from messaging.rules.sms_parts import ALPHABET, EXTENSION, parts_of, text_of
from messaging.transports import listens, transport
from messaging.transports.base import Deadline, Letter, Result, Verdict
from messaging.transports.smpp import Smpp
from tests import make
from tests.messaging.outbox import NOON, queued, send, states
from tests.messaging.smsc_simulator import broken_line, simulator

LONG = (
    "Мария, ждём вас 26 ноября (чт) в 10:30. Клиника на Мясницкой, ул. Мясницкая, 1. Не сможете прийти? Сообщите нам."
)


@pytest.fixture(scope="module")
def smsc():
    with simulator() as found:
        yield found


@pytest.fixture(autouse=True)
def _empty(smsc):
    smsc.taken.clear(), smsc.tries.clear(), smsc.acknowledged.clear(), smsc.receipts.clear()


def line(smsc, sender: str = "CLINIC") -> Smpp:
    return Smpp.from_url(f"smpp://clinic:secret@127.0.0.1:{smsc.port}", sender)


def letter(number: int, text: str = "Ждём вас", to: str = "+79160000001") -> Letter:
    return Letter(number, 1, f"key{number}", to, "", text)


def test_the_tables_of_the_alphabet_agree_and_every_sign_comes_back():
    assert set(ALPHABET) - {"\x1b"} == BASIC and set(EXTENSION) == EXTENDED and len(ALPHABET) == 128
    for text in ("Hello {world} [€5] \\ ~ ^ |", "".join(sorted(BASIC | EXTENDED)), "Привет, мир 😀"):
        found = parts_of(text, "ref")
        assert "".join(text_of(b, found.data_coding, headed=found.headed) for b in found.bodies) == text


@pytest.mark.parametrize(
    "text", ["a" * 160, "a" * 161, "я" * 70, "я" * 71, "я" * 134, "я" * 135, "€" * 81, "a" * 152 + "€" + "a" * 20]
)
def test_parts_are_counted_as_they_are_charged(text):
    found, size = parts_of(text, "ref"), segments(text)
    assert len(found.bodies) == size.count and found.headed == (size.count > 1)
    assert all(len(body) <= (140 if found.data_coding == 8 else 160) for body in found.bodies)


def test_nothing_is_cut_in_the_middle():
    assert [len(b) for b in parts_of("я" * 66 + "😀" + "я" * 20, "r").bodies] == [6 + 132, 6 + 44]
    assert parts_of("a" * 152 + "€" + "a" * 20, "r").bodies[1][6:8] == b"\x1be"


def test_a_long_russian_text_goes_out_in_parts_that_make_one_again(smsc):
    outcomes = line(smsc).send([letter(1, LONG)], Deadline(60))
    assert [(o.result, o.provider_id) for o in outcomes] == [(Result.ACCEPTED, smsc.taken[-1]["id"])]
    first, second = smsc.taken
    assert (first["coding"], first["esm"], first["ton"], first["from"], first["to"]) == (
        8,
        0x40,
        5,
        "CLINIC",
        "79160000001",
    )
    assert first["body"][:3] == second["body"][:3] == b"\x05\x00\x03" and first["body"][3] == second["body"][3]
    assert [body["body"][4:6] for body in smsc.taken] == [b"\x02\x01", b"\x02\x02"]
    assert "".join(text_of(part["body"], 8, headed=True) for part in smsc.taken) == LONG
    assert [part["receipt"] for part in smsc.taken] == [0, 1]
    assert len(first["body"]) == 6 + 134


def test_a_latin_text_is_gsm_and_a_number_as_sender_says_so(smsc):
    line(smsc, "+74950000000").send([letter(1, "Hello {you} @ 5€")], Deadline(60))
    [part] = smsc.taken
    assert (part["coding"], part["esm"], part["ton"], part["from"]) == (0, 0, 1, "74950000000")
    assert text_of(part["body"], 0, headed=False) == "Hello {you} @ 5€"


def test_a_batch_goes_over_one_bind_each_answer_to_its_letter(smsc):
    before = smsc.binds
    letters = [letter(n, f"Ждём вас, {n}", f"+791600010{n:02}") for n in range(60)]
    outcomes = line(smsc).send(letters, Deadline(60))
    assert smsc.binds == before + 1 and len(outcomes) == 60
    by_id = {part["id"]: part["to"] for part in smsc.taken}
    assert all(o.result is Result.ACCEPTED and by_id[o.provider_id] == o.letter.to.lstrip("+") for o in outcomes)


def test_throttling_is_waited_out_and_a_full_queue_has_surely_not_taken_it(smsc):
    started = time.monotonic()
    outcomes = line(smsc).send([letter(1, to="+79169900081"), letter(2, to="+79160000002")], Deadline(60))
    assert {o.letter.id: o.result for o in outcomes} == {1: Result.ACCEPTED, 2: Result.ACCEPTED}
    assert time.monotonic() - started >= 1.5
    [full] = line(smsc).send([letter(3, to="+79169900082")], Deadline(4))
    assert (full.result, full.reason, full.retry_after) == (Result.NOT_ACCEPTED, "busy", 1.0)
    [gone] = line(smsc).send([letter(4, to="+79169900083")], Deadline(60))
    assert (gone.result, gone.reason) == (Result.REFUSED, "gateway")
    assert [part["to"] for part in smsc.taken] == ["79160000002", "79169900081"]


def test_of_a_message_taken_in_part_nobody_says_that_it_was_not_taken(smsc):
    [half] = line(smsc).send([letter(1, LONG, to="+79169900084")], Deadline(3))
    assert (half.result, half.reason) == (Result.UNKNOWN, "no_answer")
    assert len(smsc.taken) == 1


def test_poison_costs_only_itself_and_too_late_is_not_tried(smsc):
    outcomes = line(smsc).send([letter(1, to="nobody"), letter(2), letter(3, "я" * 20000)], Deadline(60))
    assert {o.letter.id: o.result for o in outcomes} == {1: Result.REFUSED, 2: Result.ACCEPTED, 3: Result.REFUSED}
    assert [o.result for o in line(smsc).send([letter(4)], Deadline(-1))] == [Result.NOT_TRIED]


def test_a_line_that_breaks_before_the_answer_leaves_an_unknown_and_the_next_go_over_a_new_line(monkeypatch):
    monkeypatch.setattr("messaging.transports.smpp_batch.WINDOW", 1)
    with broken_line(answers=2) as (port, seen):
        outcomes = Smpp.from_url(f"smpp://a:b@127.0.0.1:{port}", "C").send([letter(n) for n in range(6)], Deadline(60))
    found = {o.letter.id: o.result for o in outcomes}
    assert [found[n] for n in range(5)] == [Result.ACCEPTED] * 2 + [Result.UNKNOWN] * 3
    assert found[5] is Result.NOT_ACCEPTED  # three lines broke: it was never handed over
    assert seen.count(4) == 5 and seen.count(2) == 3


def test_nobody_there_has_taken_nothing():
    [outcome] = Smpp.from_url("smpp://a:b@127.0.0.1:9", "C").send([letter(1)], Deadline(60))
    assert (outcome.result, outcome.reason) == (Result.NOT_ACCEPTED, "busy")
    assert Smpp.from_url("smpp://a:b@127.0.0.1:9", "C").look_up({"x": "+7"})[0].verdict is Verdict.NO_ANSWER
    for wrong in ("smpp://127.0.0.1", "http://a:b@c"):
        with pytest.raises(ValueError, match="smpp://"):
            Smpp.from_url(wrong, "")


@pytest.fixture
def sms(smsc, settings):
    settings.SMS_GATEWAY_URL = f"smpp://clinic:secret@127.0.0.1:{smsc.port}"
    assert listens("sms") and isinstance(transport("sms"), Smpp)
    return smsc


@pytest.mark.django_db
@pytest.mark.parametrize("tlv", [False, True])
def test_receipts_come_in_while_nothing_is_sent_and_are_acknowledged(sms, tlv):
    rows = [queued(text=LONG), queued()]
    send()
    assert states() == {"sent": 2}
    ids = dict(Message.objects.values_list("pk", "provider_id"))
    sms.will_deliver(ids[rows[0].pk], "DELIVRD", tlv=tlv)
    sms.will_deliver(ids[rows[1].pk], "UNDELIV", tlv=tlv)
    sms.will_deliver(ids[rows[0].pk], "DELIVRD", tlv=tlv)  # doubled
    assert actions.listen(transport="sms", seconds=10) == 3
    assert sms.acknowledged == [0, 0, 0]
    found = {row.pk: row.state for row in Message.objects.all()}
    assert found == {rows[0].pk: "delivered", rows[1].pk: "undelivered"}
    assert Message.objects.get(pk=rows[0].pk).events.count() == 1
    assert Message.objects.get(pk=rows[0].pk).segments == 2


@pytest.mark.django_db
def test_an_answer_of_a_patient_comes_in_the_same_way(sms):
    patient = make.patient(phone="+79160000001")
    queued(patient, address="+79160000001")
    send()
    sms.will_say("79160000001", "Опоздаю на десять минут")
    assert actions.listen(transport="sms", seconds=10) == 1
    reply = Reply.objects.get()
    assert (reply.address, reply.text, reply.patient) == ("+79160000001", "Опоздаю на десять минут", patient)


@pytest.mark.django_db
def test_what_could_not_be_written_down_is_not_acknowledged(sms, monkeypatch):
    queued()
    send()
    sms.will_deliver(Message.objects.get().provider_id, "DELIVRD")
    monkeypatch.setattr("messaging.actions.listening.take_report", lambda **said: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        actions.listen(transport="sms", seconds=5)
    assert sms.acknowledged == [] and states() == {"sent": 1}


@pytest.mark.django_db
def test_an_smsc_that_is_away_is_logged_and_nothing_else(settings, caplog):
    settings.SMS_GATEWAY_URL = "smpp://a:b@127.0.0.1:9"
    assert actions.listen(transport="sms", seconds=2) == 0
    assert "cannot be listened to" in caplog.text


@pytest.mark.django_db
def test_without_key_and_look_up_a_lost_answer_is_for_a_person(settings):
    with broken_line(answers=0) as (port, _seen):
        settings.SMS_GATEWAY_URL = f"smpp://a:b@127.0.0.1:{port}"
        queued()
        send()
        assert states() == {"unknown": 1}
        Message.objects.update(next_check_at=NOON)
        actions.reconcile(transport="sms")
    row = Message.objects.get()
    assert (row.state, row.reason, row.next_check_at) == ("unknown", "key_expired", None)
