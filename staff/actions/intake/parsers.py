"""From what a row says (JSON value or CSV text) to what a column keeps. Each parser raises ValueError with the reason.

None and "" never reach a parser: they mean null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from core.clock import zone_names
from core.money import parse_money
from core.names import SPACES, clean_text

Parser = Callable[[Any], Any]


def described(parse: Parser, **schema: Any) -> Parser:
    """The parser with the JSON schema of what it takes: the API's documentation is made of these."""
    setattr(parse, "schema", schema)  # noqa: B010 a plain function has no such attribute for the type checker
    return parse


FIRST_YEAR, LAST_YEAR = 1900, 2100
MAX_INTEGER = 2**31 - 1
EMAIL = re.compile(r"[^\s@<>\"',;]+@[^\s@<>\"',;]+\.[^\s@<>\"',;.]+")
PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")  # cleaning would change nothing: the usual case, told apart quickly
TRUE, FALSE = frozenset({"1", "true", "yes", "t"}), frozenset({"0", "false", "no", "f"})


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(_("must be text"))
    return value


def _fits(value: str, limit: int) -> str:
    if len(value) > limit:
        raise ValueError(_("is longer than %(limit)d characters") % {"limit": limit})
    return value


def text(limit: int) -> Parser:
    """One line: trimmed, single spaces, NFC, without NUL."""

    def parse(value: Any) -> str:
        if type(value) is str and len(value) <= limit and PLAIN.fullmatch(value):
            return value
        return _fits(clean_text(_text(value)), limit)

    return described(parse, type="string", maxLength=limit)


def long_text(limit: int = 10_000) -> Parser:
    """Several lines, kept as they are but for NUL."""

    def parse(value: Any) -> str:
        return _fits(_text(value).replace("\x00", "").strip(), limit)

    return described(parse, type="string", maxLength=limit)


def code(value: Any) -> str:
    """An external id: text, or a whole number as some systems send it; at most 120 characters."""
    if type(value) is str and len(value) <= 120 and PLAIN.fullmatch(value):
        return value
    if type(value) is int:
        return _fits(str(value), 120)
    if type(value) is not str:
        raise ValueError(_("must be text"))
    return _fits(SPACES.sub(" ", value.replace("\x00", "")).strip(), 120)


def choice(values: Iterable[str]) -> Parser:
    known = {str(value): str(value) for value in values}

    def parse(value: Any) -> str:
        found = known.get(value) if type(value) is str else None
        if found is None:
            raise ValueError(_("must be one of: %(values)s") % {"values": ", ".join(known)})
        return found

    return described(parse, type="string", enum=list(known))


_money = lru_cache(maxsize=8192)(parse_money)  # prices repeat


def money(value: Any) -> int:
    """Minor units of a decimal string with at most two digits after the point.

    A JSON number is taken when it says exactly that (1500, 99.9); what arithmetic left behind (0.30000000000000004)
    is refused rather than rounded.
    """
    if type(value) in (int, float):
        value = repr(value)
    try:
        return _money(_text(value))
    except ValueError:
        raise ValueError(_("must be an amount such as 1234.50")) from None


def positive_money(value: Any) -> int:
    minor = money(value)
    if minor <= 0:
        raise ValueError(_("must be more than 0"))
    return minor


def money_from_zero(value: Any) -> int:
    minor = money(value)
    if minor < 0:
        raise ValueError(_("must not be negative"))
    return minor


def whole(low: int = 0, high: int = MAX_INTEGER) -> Parser:
    def parse(value: Any) -> int:
        if type(value) is str and re.fullmatch(r"-?\d{1,12}", value.strip()):
            value = int(value)
        if type(value) is not int:
            raise ValueError(_("must be a whole number"))
        if not low <= value <= high:
            raise ValueError(_("must be between %(low)d and %(high)d") % {"low": low, "high": high})
        return value

    return described(parse, type="integer", minimum=low, maximum=high)


def truth(value: Any) -> bool:
    if type(value) is bool:
        return value
    word = str(value).strip().lower() if type(value) in (str, int) else ""
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ValueError(_("must be true or false"))


def day(value: Any) -> date:
    raw = _text(value).strip()
    try:
        if len(raw) != 10:
            raise ValueError
        found = date.fromisoformat(raw)
    except ValueError:
        raise ValueError(_("must be a date such as 2024-05-31")) from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(_("is not between the years 1900 and 2100"))
    return found


def instant(value: Any) -> datetime:
    """UTC to the second, or naive when the text has no offset: the batch then reads it as the branch's local time."""
    try:
        if type(value) is not str or len(value) < 13:  # a date alone is no time
            raise ValueError
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(_("must be a time such as 2024-05-31T14:30:00+03:00")) from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(_("is not between the years 1900 and 2100"))
    if found.microsecond:
        found = found.replace(microsecond=0)
    if found.tzinfo is not None and found.tzinfo is not UTC:
        found = found.astimezone(UTC)
    return found


def email(value: Any) -> str:
    """Lower case, without spaces around it."""
    found = _fits(_text(value).strip().lower(), 254)
    if not EMAIL.fullmatch(found):
        raise ValueError(_("is not an e-mail address"))
    return found


def time_zone(value: Any) -> str:
    if _text(value) not in zone_names():
        raise ValueError(_("is not a time zone such as Europe/Moscow"))
    return str(value)


def listing(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(_("must be a list"))
    if len(value) > 1000:
        raise ValueError(_("has more than %(limit)d entries") % {"limit": 1000})
    return value


MONEY_SCHEMA = {"type": "string", "pattern": r"^-?\d{1,12}(\.\d{1,2})?$", "examples": ["1234.50"]}
described(code, type="string", maxLength=120)
described(money, **MONEY_SCHEMA)
described(positive_money, **MONEY_SCHEMA)
described(money_from_zero, **MONEY_SCHEMA)
described(truth, type="boolean")
described(day, type="string", format="date")
described(instant, type="string", format="date-time")
described(email, type="string", format="email", maxLength=254)
described(time_zone, type="string", examples=["Europe/Moscow"])
