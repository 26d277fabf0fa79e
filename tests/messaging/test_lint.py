"""What the linter forbids, what it only asks about, and what it lets pass."""

from __future__ import annotations

import pytest

from messaging import automations
from messaging.models import Template
from messaging.queries.lint import findings_of
from messaging.queries.texts import template_rows
from messaging.rules.lint import lint
from messaging.rules.texts import WARNING, Wording
from tests import make


def found(body: str, *, advertises: bool = False, transport: str = "sms", errors: bool = True, **more) -> set[str]:
    words = Wording(body, **{k: more.pop(k) for k in ("subject", "promotion", "link", "without_warning") if k in more})
    rows = lint(words, transport=transport, language="ru", advertises=advertises, **more)
    return {row.code for row in rows if row.is_error == errors}


@pytest.mark.parametrize(
    "body",
    [
        "Ждём вас {date}. Скидка на всё!", "Сегодня −10%", "У нас акция: приходите", "Ждём вас, в подарок кружка",
        "Выгодно: приходите вдвоём", "We expect you. Special offer inside", "A discount for you", "Ваш бонус ждёт",
        "Специальное предложение для вас", "Новогодняя распродажа", "Get a gift with your visit",
    ],
)  # fmt: skip
def test_a_service_message_must_not_advertise(body):
    assert found(body) == {"advert"}


@pytest.mark.parametrize(
    "body",
    [
        "Ждём вас {date} в {time}. {clinic}", "Какова ваша реакция на визит?", "Приходите к фракции", "Подойдите к ресепшену",
        "We expect you at {time}. {clinic}", "Wholesale", "Оставьте машину на парковке",
    ],
)  # fmt: skip
def test_words_that_only_look_alike_pass(body):
    assert found(body) == set()


def test_what_may_be_meant_otherwise_is_only_asked_about():
    assert found("Парковка бесплатная", errors=False) == {"perhaps"} and found("Парковка бесплатная") == set()
    assert found("Feel free to call", errors=False) == {"perhaps"}


@pytest.mark.parametrize(
    "body",
    [
        "Ждём вас у кардиолога", "Приём гинеколога завтра", "Готов ваш анализ", "Ваш диагноз J06.9", "Код M54 в карте",
        "УЗИ в 10:30", "Your dentist waits", "The result of your HIV test", "Сделаем прививку", "Ваша беременность",
    ],
)  # fmt: skip
def test_a_message_about_one_patient_tells_no_medical_secret(body):
    assert found(body) == {"medical"}
    assert "medical" in found(f"{body} {{clinic}} СТОП", advertises=True, errors=False)


def test_the_clinics_own_words_for_its_specialities_are_known():
    assert found("Ждём вас в отделении флебологии", specialities=["флебология"]) == {"medical"}
    assert found("Ждём вас в отделении флебологии") == set()


def test_an_advertisement_says_who_sends_it_and_how_to_stop_it():
    assert found("Приходите!", advertises=True) == {"no_clinic", "no_stop"}
    assert found("Приходите!", advertises=True, transport="email", subject="x") == {"no_clinic", "no_unsubscribe"}
    assert found("{clinic}: приходите! Отказ: СТОП", advertises=True) == set()
    assert found("{clinic}: приходите! Отказ: СТОП", advertises=True, transport="email") == {"no_unsubscribe"}
    assert found("{clinic}: скидка 10%. {unsubscribe}", advertises=True, transport="email") == set()
    assert found("Здесь лечат: приходите! СТОП", advertises=True, clinic="Здесь лечат") == set()


def test_a_promotion_stands_only_below_what_advertises():
    assert found("Полезный текст", promotion="Приходите") == {"promotion"}
    assert found("{clinic}: полезный текст", promotion="Приходите. СТОП", advertises=True) == set()


def test_the_warning_is_counted_and_left_out_only_with_a_reason():
    words = Wording("{clinic}: приходите", promotion="СТОП")
    assert words.warning("sms", "ru", advertises=True) == "\n" + WARNING["ru"]
    assert words.warning("sms", "ru", advertises=False) == ""
    reasoned = Wording("{clinic}", without_warning="Реклама парковки")
    assert reasoned.warning("email", "ru", advertises=True) == ""
    assert found("{clinic} СТОП", advertises=True, without_warning="парковка", errors=False) == {"no_warning"}
    assert "long" in found("{clinic} СТОП " + "о" * 190, advertises=True, errors=False)
    assert "long" not in found("{clinic} СТОП " + "о" * 190, errors=False)


def test_a_link_that_leads_nowhere_and_one_that_is_not_counted_are_named():
    assert found("Подробнее: {link}") == {"link_nowhere"}
    assert found("[Подробнее: {link}]", errors=False) == {"link_nowhere"}
    assert found("Подробнее: {link}", link="https://example.org/") == set()
    assert found("Подробнее: https://example.org/", errors=False) == {"raw_link"}


@pytest.mark.django_db
def test_every_text_that_the_product_comes_with_passes_in_every_language_and_transport():
    make.doctor(speciality="кардиология")
    for automation in automations.registered():
        rows = template_rows([automation.template])
        assert len(rows) == 6, automation.code
        texts = {f"{row.transport}:{row.language}": row.wording for row in rows}
        for key, said in findings_of(texts, advertises=automation.advertises).items():
            assert said == [], (automation.code, key, said)
    assert not Template.objects.exists()
