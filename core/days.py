"""Days and times as people type them: ``25.11``, ``25.11.26``, ``завтра``, ``пт``, ``+7``; ``9``, ``930``, ``9.30``."""

from __future__ import annotations

import re
from datetime import date, time, timedelta

NUMBERS = re.compile(r"^(\d{1,2})[.,/\- ](\d{1,2})(?:[.,/\- ](\d{4}|\d{2}))?[.]?$")
ISO = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})$")
DIGITS = re.compile(r"^(\d{2})(\d{2})(\d{4}|\d{2})$")
NAMED = re.compile(r"^(\d{1,2})\s+([a-zа-яё]{3,})\.?(?:\s+(\d{4}))?(?:\s*(?:г|года)\.?)?$")
AHEAD = re.compile(r"^\+\s*(\d{1,3})$")
CLOCK = re.compile(r"^(\d{1,2})(?:[:.,\- ]?(\d{2}))?$")
FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)

WORDS = {
    "позавчера": -2,
    "вчера": -1,
    "сегодня": 0,
    "завтра": 1,
    "послезавтра": 2,
    "yesterday": -1,
    "today": 0,
    "tomorrow": 1,
}
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "пн понедельник mon monday",
            "вт вторник tue tuesday",
            "ср среда среду wed wednesday",
            "чт четверг thu thursday",
            "пт пятница пятницу fri friday",
            "сб суббота субботу sat saturday",
            "вс воскресенье sun sunday",
        )
    )
    for name in names.split()
}
MONTHS = ("янв jan", "фев feb", "мар mar", "апр apr", "ма may", "июн jun", "июл jul", "авг aug", "сен sep", "окт oct",
          "ноя nov", "дек dec")  # fmt: skip


class NotADay(ValueError):
    """The text names no day (or no time) that exists."""


def read_day(text: str, *, today: date, lean: str = "near") -> date:
    """The day that was meant. Raises NotADay.

    Without a year: `lean` "future" takes the next such day from `today` on, "past" the last one up to it, "near" this
    year's. Two digits of a year are of this century, except for "past" where the year would lie ahead.
    """
    text = " ".join(text.lower().split())
    found = _spoken(text, today) or _numbers(text, today, lean)
    if found is None or not FIRST <= found <= LAST:
        raise NotADay(text)
    return found


def _spoken(text: str, today: date) -> date | None:
    if text in WORDS:
        return today + timedelta(days=WORDS[text])
    if text in WEEKDAYS:
        return today + timedelta(days=(WEEKDAYS[text] - today.weekday() - 1) % 7 + 1)
    ahead = AHEAD.match(text)
    return today + timedelta(days=int(ahead[1])) if ahead else None


def _numbers(text: str, today: date, lean: str) -> date | None:
    iso, named = ISO.match(text), NAMED.match(text)
    if iso:
        return _day(iso[1], iso[2], iso[3])
    if named:
        month = next((n for n, names in enumerate(MONTHS, 1) if any(named[2].startswith(m) for m in names.split())), 0)
        return _with_year(named[1], str(month), named[3] or "", today, lean)
    found = NUMBERS.match(text) or DIGITS.match(text)
    return _with_year(found[1], found[2], found[3] or "", today, lean) if found else None


def _with_year(day: str, month: str, year: str, today: date, lean: str) -> date | None:
    if len(year) == 4:
        return _day(year, month, day)
    if year:
        full = today.year - today.year % 100 + int(year)
        return _day(str(full - 100 if lean == "past" and full > today.year else full), month, day)
    step = {"future": 1, "past": -1}.get(lean, 0)
    for years in range(9 if step else 1):  # 29 February comes again within eight years
        found = _day(str(today.year + step * years), month, day)
        if found and (found - today).days * step >= 0:
            return found
    return None


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def read_time(text: str) -> time:
    """``9``, ``9:30``, ``9.30``, ``930``, ``0930``. Raises NotADay."""
    found = CLOCK.match(text.strip())
    try:
        if found is None:
            raise NotADay(text)
        return time(int(found[1]), int(found[2] or 0))
    except ValueError as error:
        raise NotADay(text) from error
