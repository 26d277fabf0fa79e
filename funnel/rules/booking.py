"""Online booking without a database: codes, the words that are agreed to, the calendar file, days of a page."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

CODE_DIGITS, CODE_TRIES = 6, 5
CODE_GOOD = timedelta(minutes=10)
CODE_AGAIN = timedelta(seconds=45)  # between two codes to one phone
CODES_OF_PHONE, CODES_OF_ADDRESS = 5, 20  # a day
MANAGE, CLAIM = "booking", "waitlist_offer"  # purposes of signed links
VERSION = "booking-1"
# What is agreed to, word for word (R29). The hash of these words is kept with the agreement.
PROCESSING = {
    "ru": "Я согласен на обработку моих персональных данных (имя, фамилия, телефон) клиникой для записи на приём и связи "
    "по поводу этой записи. Согласие можно отозвать в любой момент, сообщив об этом клинике.",
    "en": "I agree that the clinic processes my personal data (name, surname, phone) to book the visit and to contact me "
    "about it. I may withdraw this at any time by telling the clinic.",
}
MARKETING = {
    "ru": "Я согласен получать от клиники рекламные сообщения. Необязательно; отказаться можно в любой момент.",
    "en": "I agree to receive advertising messages of the clinic. Optional; I may refuse at any time.",
}
CODE_TEXT = {
    "ru": "Код для записи: {code}. Никому его не сообщайте.",
    "en": "Your booking code: {code}. Do not tell it to anybody.",
}
OFFER_TEXT = {
    "ru": "Освободилось время: {day} в {time}, {branch}. Записаться: {link}",
    "en": "A time is free: {day} at {time}, {branch}. Take it: {link}",
}


def said(texts: dict[str, str], language: str) -> str:
    return texts.get(language, texts["ru"])


def new_code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def code_digest(code: str, *, phone: str, at: datetime, secret: str) -> str:
    """What is kept of a code: useless without our secret, and on no other phone or day."""
    said_of = f"funnel.phone_code:{phone}:{at.timestamp()}:{code}"
    return hmac.new(secret.encode(), said_of.encode(), hashlib.sha256).hexdigest()


def code_fits(code: str, digest: str, *, phone: str, at: datetime, secrets_in_force: Iterable[str]) -> bool:
    given = [code_digest(code, phone=phone, at=at, secret=secret) for secret in secrets_in_force]
    return any([hmac.compare_digest(one, digest) for one in given])  # noqa: C419 - each is compared, whichever fits


def split_name(name: str) -> tuple[str, str]:
    """(first name, surname) as the two fields were joined."""
    first, _space, last = name.partition(" ")
    return first, last


@dataclass(frozen=True)
class Wish:
    """Of the waitlist: ISO weekdays ("" = any), local times (None = any), local days, both included."""

    first_day: date
    last_day: date
    days: str = ""
    from_time: time | None = None
    to_time: time | None = None

    def suits(self, local: datetime) -> bool:
        """Whether a time of the branch's own clock is one that was wished for."""
        return (
            self.first_day <= local.date() <= self.last_day
            and (not self.days or str(local.isoweekday()) in self.days)
            and (self.from_time is None or local.time() >= self.from_time)
            and (self.to_time is None or local.time() < self.to_time)
        )


def calendar_file(*, uid: str, start: datetime, end: datetime, title: str, place: str, link: str, now: datetime) -> str:
    """RFC 5545. `title` and `place` name no doctor and no speciality: a shared calendar tells nobody what for (323-FZ)."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Clinic CRM//booking//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{_stamp(now)}",
        f"DTSTART:{_stamp(start)}",
        f"DTEND:{_stamp(end)}",
        f"SUMMARY:{_escaped(title)}",
        f"LOCATION:{_escaped(place)}",
        f"URL:{link}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    for mark in ("\\", ";", ","):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _folded(line: str) -> str:
    """No line longer than 75 octets, never cut inside a letter."""
    parts, part = [], ""
    for letter in line:
        if len((part + letter).encode()) > 74:
            parts.append(part)
            part = ""
        part += letter
    return "\r\n ".join([*parts, part])
