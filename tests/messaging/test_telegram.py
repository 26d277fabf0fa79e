"""The Telegram adapter against a real local Bot API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from messaging import actions
from messaging.models import Message, Suppression, TelegramChat
from messaging.transports import telegram as module
from messaging.transports.base import Deadline, Letter, Result
from messaging.transports.telegram import Telegram
from tests import make
from tests.messaging import bot_api as bot
from tests.messaging.outbox import NOON, queued, send


@pytest.fixture
def api(settings):
    module._quiet_until.clear()
    with bot.bot_api() as running:
        settings.TELEGRAM_API_URL, settings.TELEGRAM_BOT_TOKEN = running.url, bot.TOKEN
        settings.TELEGRAM_BOT_NAME, settings.TELEGRAM_WEBHOOK_SECRET = "clinic_bot", "w3bhook"
        yield running
    module._quiet_until.clear()


def letter(n: int, chat: int | str, text: str = "Ждём *вас* <завтра>") -> Letter:
    return Letter(n, 1, f"client{n}", str(chat), "", text)


def results(api, *chats, seconds: float = 30) -> list[tuple[Result, str]]:
    found = Telegram(api.url, bot.TOKEN).send([letter(n, chat) for n, chat in enumerate(chats)], Deadline(seconds))
    return [(one.result, str(one.reason)) for one in found]


def test_each_answer_of_the_bot_api_means_what_it_proves(api):
    chats = [777, bot.BLOCKED, bot.DEACTIVATED, bot.NO_CHAT, bot.OTHER, bot.BROKEN, bot.HTML, bot.LOST, "maria", 778]
    assert results(api, *chats) == [
        (Result.ACCEPTED, ""), (Result.REFUSED, "blocked"), (Result.REFUSED, "blocked"), (Result.REFUSED, "bounced"),
        (Result.REFUSED, "gateway"), (Result.UNKNOWN, "no_answer"), (Result.UNKNOWN, "no_answer"),
        (Result.UNKNOWN, "no_answer"), (Result.REFUSED, "bad_message"), (Result.ACCEPTED, ""),
    ]  # fmt: skip


def test_the_text_goes_as_it_is_and_the_provider_id_names_chat_and_message(api):
    [outcome] = Telegram(api.url, bot.TOKEN).send([letter(1, 777)], Deadline(30))
    method, body = api.calls[0]
    assert (method, body["text"], body["chat_id"]) == ("sendMessage", "Ждём *вас* <завтра>", 777)
    assert "parse_mode" not in body
    assert outcome.provider_id == "777:1"


def test_after_a_429_nobody_asks_before_the_time_that_it_named(api):
    [asked] = Telegram(api.url, bot.TOKEN).send([letter(1, bot.SLOW_DOWN)], Deadline(30))
    assert (asked.result, asked.retry_after) == (Result.NOT_ACCEPTED, 7)
    [held] = Telegram(api.url, bot.TOKEN).send([letter(2, 777)], Deadline(30))
    assert held.result is Result.NOT_ACCEPTED
    assert held.retry_after is not None and 5 < held.retry_after <= 7
    assert len(api.calls) == 1


def test_a_wrong_token_and_an_absent_server_took_nothing_and_no_words_hold_the_token(api):
    wrong = Telegram(api.url, "123:wrong").send([letter(1, 777)], Deadline(30))
    absent = Telegram("http://127.0.0.1:9", bot.TOKEN).send([letter(1, 777)], Deadline(30))
    nonsense = Telegram("nonsense", bot.TOKEN).send([letter(1, 777)], Deadline(30))
    assert {one.result for one in (*wrong, *absent, *nonsense)} == {Result.NOT_ACCEPTED}
    assert "secret" not in repr((wrong, absent, nonsense))
    assert results(api, 777, seconds=-1)[0][0] is Result.NOT_TRIED


def test_seventy_letters_take_more_than_two_seconds(api):
    assert {result for result, _reason in results(api, *range(1000, 1070))} == {Result.ACCEPTED}
    times = sorted(api.times)
    assert times[60] - times[0] > 1.9


def test_what_is_too_long_is_refused_before_it_is_tried(api):
    long = Telegram(api.url, bot.TOKEN).send([letter(1, 777, "я" * 4097)], Deadline(30))
    assert long[0].result is Result.REFUSED
    assert api.calls == []


@pytest.mark.django_db
def test_a_chat_that_blocked_the_bot_is_let_go_and_its_address_closed(api):
    patient, other = make.patient(), make.patient()
    TelegramChat.objects.create(patient=patient, chat_id=bot.BLOCKED, linked_at=NOON)
    TelegramChat.objects.create(patient=other, chat_id=777, linked_at=NOON)
    queued(patient, transport="telegram", address=str(bot.BLOCKED))
    queued(other, transport="telegram", address="777")
    send(transport="telegram")
    assert dict(Message.objects.values_list("address", "state")) == {"403": "refused", "777": "sent"}
    closed = Suppression.objects.get()
    assert (closed.transport, closed.address, closed.kind) == ("telegram", "403", "blocked")
    assert [chat.chat_id for chat in TelegramChat.objects.filter(unlinked_at=None)] == [777]


@pytest.mark.django_db
def test_a_lost_answer_is_unknown_and_never_sent_again_on_a_guess(api):
    row = queued(transport="telegram", address=str(bot.LOST))
    send(transport="telegram")
    actions.reconcile(transport="telegram")
    send(transport="telegram", now=NOON + timedelta(hours=1))
    row.refresh_from_db()
    assert row.state == "unknown"
    assert len(api.calls) == 1


def test_the_command_sets_the_webhook_with_the_secret(api, settings, capsys):
    settings.PUBLIC_URL = "https://crm.example.org"
    call_command("telegram_webhook")
    method, body = api.calls[0]
    assert (method, body["url"]) == ("setWebhook", "https://crm.example.org/api/v1/hooks/telegram/")
    assert body["secret_token"] == "w3bhook"
    assert body["allowed_updates"] == ["message", "my_chat_member"]
    assert bot.TOKEN not in capsys.readouterr().out
    call_command("telegram_webhook", "--remove")
    assert api.calls[-1][0] == "deleteWebhook"
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    with pytest.raises(CommandError, match="https"):
        call_command("telegram_webhook")
    settings.PUBLIC_URL, settings.TELEGRAM_WEBHOOK_SECRET = "https://crm.example.org", "no spaces!"
    with pytest.raises(CommandError, match="TELEGRAM_WEBHOOK_SECRET"):
        call_command("telegram_webhook")
    settings.TELEGRAM_WEBHOOK_SECRET, settings.TELEGRAM_BOT_TOKEN = "w3bhook", "123:wrong"
    with pytest.raises(CommandError, match="Unauthorized"):
        call_command("telegram_webhook")
