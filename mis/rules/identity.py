"""Ids of rows that bring none: worked out from what identifies a row, so that the same file again creates nothing.

patient: card number, else full name + birth date (without one: + first phone); visit: patient + start + doctor;
item and payment of a visit: visit + service + amount; payment: patient + day and time + kind + amount;
service: name + speciality; doctor, channel: name; spend: channel + day + purpose + campaign.
Rows that are equal in all this are told apart by their order in the file (two payments of 500 on one day are two).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

from core.names import folded
from core.phones import BadPhone, parse_phones

PREFIX = "auto-"  # tells a generated id from one of the file


def made_id(*parts: Any) -> str:
    text = "\x1f".join(folded(str(part)) if part is not None else "" for part in parts)
    return PREFIX + hashlib.sha256(text.encode()).hexdigest()[:24]


def full_name(cells: Mapping[str, Any]) -> tuple[str, str, str]:
    """(last, first, middle) of separate columns, or of one: 'Иванова Анна Петровна'."""
    if cells.get("last_name") or not cells.get("full_name"):
        return (cells.get("last_name", ""), cells.get("first_name", ""), cells.get("middle_name", ""))
    last, *rest = cells["full_name"].split()
    return (last, rest[0] if rest else "", " ".join(rest[1:]))


def first_phone(cells: Mapping[str, Any]) -> str:
    try:
        found = parse_phones(cells.get("phones", ""))
    except BadPhone:
        return ""
    return found[0].number if found else ""


def patient_id(cells: Mapping[str, Any]) -> str:
    if cells.get("patient_id"):
        return str(cells["patient_id"])
    if cells.get("card_number"):
        return f"card-{cells['card_number']}"[:120]
    return made_id("patient", *full_name(cells), cells.get("birth_date") or first_phone(cells))


class Occurrences:
    """How often a key was seen in this file: the n-th of equal rows gets an id of its own."""

    def __init__(self) -> None:
        self.seen: Counter[int] = Counter()

    def nth(self, key: str) -> int:
        number = hash(key)
        self.seen[number] += 1
        return self.seen[number]

    def numbered(self, key: str) -> str:
        number = self.nth(key)
        return key if number == 1 else f"{key}-{number}"
