"""What short answers mean, in both languages, with slips, signs and capitals."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.rules.answers import Answer, answer_of
from messaging.rules.updates import read_update

YES = """1|1.|+|да|Да!|ДА|да.|дааа|да, спасибо|Да, буду!|буду|Приду, спасибо|придём|ок|Ok|OK!|окей|Хорошо|хорошо, спасибо
|конечно|подтверждаю|Подтверждаю визит|потверждаю|подтвержаю|подвтерждаю|Здравствуйте, да|👍|👍🏽|👍👍|✅|yes|Yes please
|YES!!!|yeah|I'll be there|I will come|confirm|Confirmed, thanks|да да|1 да|дa"""
CANCEL = """отмена|Отмена!|отмените визит|отмените запись пожалуйста|Отменить приём|не приду|Не придём|не смогу прийти
|к сожалению, не получится|нет|Нет.|нет, спасибо|cancel|Cancel my visit|cancel my appointment please|stop, cancel my visit
|стоп, отмените визит|I can't come|I won't come|we cannot make it|not coming|-|👎|не приду, стоп запись"""
STOP = """стоп|СТОП|Стоп!|стоп.|cтoп|стоооп|stop|STOP|Stop!|stop please|отписка|отписаться|Отпишите меня
|отпишите меня от рассылки
|отписатся|unsubscribe|Unsubscribe me please|unsubcribe|не присылайте|Не присылайте мне больше рекламу|не присылайте сообщения
|не шлите смс|не пишите мне больше|хватит слать рекламу|прекратите рассылку|отмените рассылку|отключите рекламу
|уберите мой номер из рассылки|отказ от рассылки|не надо рекламы|no more messages|don't send me ads|remove me from your list|🛑
|opt out"""
OTHER = """|   |спасибо|да?|приду?|1?|да, но опоздаю|да нет наверное|перенесите на пятницу|во сколько?|можно на час позже
|не присылайте результаты на почту|не отменяйте визит|где вы находитесь|кто это|2|3|11|10|а сколько стоит
|стоп боль|привет|не подтверждаю|yes but later|what time|буду позже|ok google|stop it is too late|5 минут ждали|...|???"""


def lines(text: str) -> list[str]:
    return [one.replace("\n", "") for one in text.split("|")]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (text, meaning)
        for meaning, table in (("confirm", YES), ("cancel", CANCEL), ("stop", STOP), ("other", OTHER))
        for text in lines(table)
    ],
)
def test_an_answer_means_what_a_person_would_read(text, meaning):
    assert answer_of(text).meaning == meaning


@pytest.mark.parametrize(
    ("text", "score", "pure"),
    [
        ("5", 5, True), (" 4 ", 4, True), ("3!", 3, True), ("1", 1, True), ("5️⃣", 5, True), ("пять", 5, True),
        ("Five", 5, True), ("4 из 5", 4, True), ("5/5", 5, True), ("4 балла", 4, True), ("оценка 2", 2, True),
        ("⭐⭐⭐⭐", 4, True), ("★★", 2, True), ("5 stars", 5, True), ("5, всё отлично!", 5, False),
        ("2 - долго ждали", 2, False), ("1. Ужасно", 1, False), ("4 :)", 4, True), ("5 👍", None, False),
    ],
)  # fmt: skip
def test_digits_answer_the_question_for_a_score(text, score, pure):
    found = answer_of(text, "feedback")
    if score is None:
        assert found.meaning != "score"
    else:
        assert found == Answer("score", score, pure)


@pytest.mark.parametrize(
    "text", ["0", "6", "10", "55", "5 минут ждали", "5?", "1-2", "в 5 часов", "⭐" * 6, "+79161234567"]
)
def test_other_numbers_are_no_score(text):
    assert answer_of(text, "feedback").meaning != "score"


def test_a_score_is_asked_for_or_it_is_none():
    assert answer_of("5").meaning == "other"
    assert answer_of("1").meaning == "confirm"
    assert answer_of("стоп", "feedback").meaning == "stop"


@given(st.text(max_size=400))
def test_nothing_that_anybody_may_write_breaks_it(text):
    for asked in ("", "feedback"):
        found = answer_of(text, asked)
        assert found.meaning in {"confirm", "cancel", "stop", "score", "other"}
        assert (found.score is not None) == (found.meaning == "score")


@given(st.sampled_from(["визит", "приём", "запись", "appointment", "visit"]), st.sampled_from(lines(STOP)))
def test_whoever_names_his_visit_does_not_stop_advertising(word, stop):
    assert answer_of(f"{stop} {word}").meaning != "stop"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["message", "my_chat_member", "chat", "id", "type", "from", "is_bot", "text", "date", "update_id", "sticker",
         "emoji", "reply_to_message", "message_id", "new_chat_member", "status", "caption"]), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(JSON)
def test_whatever_an_update_of_telegram_holds_it_is_read_or_passed_over(body):
    for name in ("message", "my_chat_member"):
        found = read_update({"update_id": 1, name: body})
        assert found is None or isinstance(found.text, str)
