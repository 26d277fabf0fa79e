"""Phones in E.164. A phone is a way to reach somebody, never an identity: families share them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers

SPLIT = re.compile(r"[;,/\n]+")
EXCEL_DAMAGE = re.compile(r"^\s*\d[.,]\d+[eE][+]?\d+\s*$")


class BadPhone(ValueError):
    """The text is no phone number that can be dialled."""


@dataclass(frozen=True)
class Phone:
    """`number` is E.164 (`+79123456789`), `raw` the text as it came."""

    number: str
    raw: str


def parse_phone(text: str, region: str = "RU") -> Phone:
    """One phone in any spelling. `region` is the branch's ISO country code, for numbers without +.

    Raises BadPhone, with the damage done by a spreadsheet (`7,91E+10`) named apart.
    """
    raw = text.strip()
    if EXCEL_DAMAGE.match(raw):
        raise BadPhone("damaged by a spreadsheet: digits of the number are lost")
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException as error:
        raise BadPhone("not a phone number") from error
    number.extension = None
    if not phonenumbers.is_possible_number(number):
        raise BadPhone("not a phone number")
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), raw)


def parse_phones(text: str, region: str = "RU") -> list[Phone]:
    """All phones of a cell: `;`, `,`, `/` and line breaks separate them, doubles are dropped, order kept.

    Splitting comes first: the library reads '89161234567; 84951234567' as one number with an extension.
    """
    found: dict[str, Phone] = {}
    for part in SPLIT.split(text):
        if part.strip():
            phone = parse_phone(part, region)
            found.setdefault(phone.number, phone)
    return list(found.values())


def digits_of(text: str) -> str:
    return re.sub(r"\D", "", text)
