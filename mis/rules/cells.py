"""Cells as clinics write them: dates of Excel, money with spaces, phones that lost digits. Every reader takes a str,
a number, a date or None and raises ValueError with a reason for a person; "" and None never reach a reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from core.export import unguarded
from core.names import clean_text, folded

EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 serial dates have no zone
SCIENTIFIC = re.compile(r"[+-]?\d+([.,]\d+)?[eEеЕ]\s?\+?\d+")  # е: also the Cyrillic letter
SERIAL = re.compile(r"\d{4,5}([.,]\d+)?")
EXACT = 10**15  # from here on a spreadsheet keeps no digit beyond the fifteenth
DATES = ("%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%Y/%m/%d")
TIMES = ("%H:%M", "%H:%M:%S", "%H.%M")
MONEY_SIGNS = re.compile(r"(руб(\.|лей|ля|ль)?|р\.|₽|rub|\s|\u00a0|\u202f)", re.IGNORECASE)
MONEY_TEXT = re.compile(r"-?\d+([.,]\d{1,2})?")
GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d{1,2})?")

WORDS: dict[str, dict[str, str]] = {
    "sex": {
        "f": "ж,жен,жен.,женский,женщина,f,female,w",
        "m": "м,муж,муж.,мужской,мужчина,m,male",
    },
    "status": {
        "completed": "завершен,завершена,завершено,состоялся,состоялась,выполнен,выполнено,оказана,оказано,пришел,"
        "пришла,принят,проведен,закрыт,оплачен,completed,done,fulfilled",
        "no_show": "неявка,не явился,не явилась,не пришел,не пришла,no show,no-show,noshow,no_show",
        "cancelled_patient": "отменен,отменена,отмена,отказ,отказался,отменен пациентом,отмена пациентом,cancelled,"
        "canceled,cancelled by patient,cancelled_patient",
        "cancelled_clinic": "отменен клиникой,отмена клиникой,отмена врачом,cancelled by clinic,cancelled_clinic",
        "scheduled": "запланирован,запланирована,записан,запись,подтвержден,подтверждена,ожидается,новый,scheduled,"
        "booked,confirmed",
    },
    "method": {
        "cash": "наличные,наличными,нал,нал.,cash",
        "card": "карта,картой,банковская карта,безналичные,безнал,эквайринг,терминал,card",
        "transfer": "перевод,сбп,счет,по счету,банковский перевод,transfer,sbp",
        "insurer": "страховая,дмс,омс,страховая компания,insurer,insurance",
    },
    "payment_kind": {
        "payment": "оплата,приход,платеж,поступление,payment",
        "refund": "возврат,возврат прихода,расход,refund",
        "bonus": "бонусы,бонус,баллы,bonus,points",
    },
    "purpose": {
        "acquisition": "привлечение,реклама,acquisition",
        "retention": "удержание,возврат,retention",
    },
    "tier": {
        "lead_magnet": "лид-магнит,лидмагнит,lead_magnet,lead magnet",
        "tripwire": "трипваер,трипвайер,tripwire",
        "core": "основной,основная,основной продукт,core",
        "maximizer": "максимизатор,максимизатор прибыли,maximizer",
        "return": "возврат,тропинка возврата,return",
        "other": "прочее,другое,other",
    },
}
MEANING = {
    form: {folded(word): value for value, words in table.items() for word in words.split(",")}
    for form, table in WORDS.items()
}
Reader = Callable[[Any], Any]


def as_text(value: Any) -> str:
    """A cell as text: 89161234567.0 of a workbook -> '89161234567'."""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return unguarded(clean_text(str(value)))


def text(value: Any) -> str:
    return as_text(value)


def code(value: Any) -> str:
    """An identifier. Refused when a spreadsheet has eaten its digits: it would be somebody else's number."""
    if isinstance(value, int | float) and abs(value) >= EXACT:
        raise ValueError(_("longer than 15 digits: a spreadsheet has lost the last ones; keep the column as text"))
    found = as_text(value)
    if SCIENTIFIC.fullmatch(found):
        raise ValueError(
            _("%(value)s was damaged by a spreadsheet: digits are lost; format the column as text and export again")
            % {"value": found[:40]}
        )
    return found


def phones(value: Any) -> str:
    """Left as written for the phone reader, which names damage itself; only a workbook's number becomes digits."""
    if isinstance(value, int | float) and abs(value) >= EXACT:
        raise ValueError(_("longer than 15 digits: this is no phone number"))
    found = as_text(value)
    if SCIENTIFIC.fullmatch(found):
        raise ValueError(
            _("damaged by a spreadsheet: digits of the number are lost; format the column as text and export again")
        )
    return found


def moment(value: Any) -> datetime:
    """Local date and time (naive). Text as dd.mm.yyyy with or without time, ISO 8601, or a serial date of Excel."""
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    if isinstance(value, date):
        return datetime.combine(value, time.min)
    raw = as_text(value)
    if SERIAL.fullmatch(raw):
        return _serial(float(raw.replace(",", ".")))
    day_text, _space, time_text = raw.replace("T", " ", 1).partition(" ")
    try:
        return datetime.combine(_day_of(day_text), _clock_of(time_text) if time_text else time.min)
    except ValueError:
        raise ValueError(_("must be a date such as 31.05.2024 or 31.05.2024 14:30")) from None


def _serial(number: float) -> datetime:
    found = EXCEL_EPOCH + timedelta(seconds=round(number * 86400))
    if not 1900 <= found.year <= 2100:
        raise ValueError(_("must be a date such as 31.05.2024"))
    return found


def _day_of(raw: str) -> date:
    for pattern in DATES:
        try:
            found = datetime.strptime(raw.rstrip(","), pattern).date()  # noqa: DTZ007 local, by the branch's zone
        except ValueError:
            continue
        if 1900 <= found.year <= 2100:
            return found
    raise ValueError(raw)


def _clock_of(raw: str) -> time:
    for pattern in TIMES:
        try:
            return datetime.strptime(raw.strip(), pattern).time()  # noqa: DTZ007 a time of day
        except ValueError:
            continue
    return datetime.fromisoformat(f"2000-01-01T{raw.strip()}").time()


def day(value: Any) -> str:
    """ISO date."""
    return moment(value).date().isoformat()


def clock(value: Any) -> time:
    if isinstance(value, datetime):
        return value.time().replace(microsecond=0)
    if isinstance(value, time):
        return value
    if isinstance(value, timedelta):
        return (datetime.min + value).time()  # noqa: DTZ901 only its time of day is used
    if isinstance(value, float) and 0 <= value < 1:
        return (datetime.min + timedelta(seconds=round(value * 86400))).time()  # noqa: DTZ901 as above
    try:
        return _clock_of(as_text(value))
    except ValueError:
        raise ValueError(_("must be a time such as 14:30")) from None


def money(value: Any) -> str:
    """'1 234,50 ₽' -> '1234.50'. A workbook's number is taken to the kopeck."""
    if isinstance(value, int | float):
        return f"{value:.2f}"
    raw = MONEY_SIGNS.sub("", as_text(value)).replace("\u2212", "-")
    if GROUPED.fullmatch(raw):
        raw = raw.replace(",", "")
    if not MONEY_TEXT.fullmatch(raw):
        raise ValueError(_("must be an amount such as 1234,50"))
    return raw.replace(",", ".")


def whole(value: Any) -> int:
    raw = as_text(value)
    if not re.fullmatch(r"\d{1,9}", raw):
        raise ValueError(_("must be a whole number"))
    return int(raw)


def _word(form: str) -> Reader:
    def read(value: Any) -> str:
        found = MEANING[form].get(folded(as_text(value)))
        if found is None:
            known = ", ".join(words.split(",")[0] for words in WORDS[form].values())
            raise ValueError(_("must be one of: %(values)s") % {"values": known})
        return found

    return read


READERS: dict[str, Reader] = {
    "text": text,
    "code": code,
    "phones": phones,
    "moment": moment,
    "day": day,
    "clock": clock,
    "money": money,
    "whole": whole,
    **{form: _word(form) for form in WORDS},
}
