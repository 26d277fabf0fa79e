"""The texts that the product comes with, per transport and language. Neutral on purpose: the fact of a visit to a
certain doctor is a medical secret (323-FZ art. 13), so no speciality, service, diagnosis or doctor's name.

A person's edit is a row of `messaging.Template` and stands above these.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

LANGUAGES = ("ru", "en")


# 38-FZ art. 24 p. 7: added to every advertisement of ours; left out only with a reason (`Wording.without_warning`).
WARNING = {
    "ru": "Имеются противопоказания, необходима консультация специалиста.",
    "en": "There are contraindications: a specialist's advice is needed.",
}


@dataclass(frozen=True)
class Wording:
    """`subject` and `picture` (hash) are used by e-mail only. `promotion`: the block below the useful content (R73).

    `link` is where {link} leads to, `without_warning` the reason why an advertisement carries no medical warning.
    """

    body: str
    subject: str = ""
    promotion: str = ""
    link: str = ""
    without_warning: str = ""
    picture: str = ""

    def whole(self, transport: str) -> str:
        """Body and promotion, without the warning."""
        return (BETWEEN.get(transport, "\n\n")).join(part for part in (self.body, self.promotion) if part)

    def warning(self, transport: str, language: str, *, advertises: bool) -> str:
        """What is added at the end, with the space before it; empty for what does not advertise."""
        if not advertises or self.without_warning:
            return ""
        return BETWEEN.get(transport, "\n\n") + WARNING.get(language, WARNING["ru"])


BETWEEN = {"sms": "\n"}  # an empty line costs money there
CONTACTS = {
    "ru": "[\n\nАдрес: {address}][\nТелефон: {phone}]\n\n{clinic}",
    "en": "[\n\nAddress: {address}][\nPhone: {phone}]\n\n{clinic}",
}

DEFAULTS: dict[tuple[str, str, str], Wording] = {
    ("confirmation", "sms", "ru"): Wording(
        "[{first_name}, ]запись подтверждена: {date} ({weekday}) в {time}. {clinic}[, {address}][. Тел. {phone}]"
    ),
    ("confirmation", "sms", "en"): Wording(
        "[{first_name}, ]your booking: {weekday} {date}, {time}. {clinic}[, {address}][. Tel. {phone}]"
    ),
    ("reminder_3d", "sms", "ru"): Wording(
        "[{first_name}, ]вы записаны на {date} ({weekday}), {time}. {clinic}. Планы изменились? Сообщите нам[: {phone}]"
    ),
    ("reminder_3d", "sms", "en"): Wording(
        "[{first_name}, ]you are booked on {weekday} {date} at {time}. {clinic}. Plans changed? Tell us[: {phone}]"
    ),
    ("reminder_24h", "sms", "ru"): Wording(
        "[{first_name}, ]ждём вас {date} ({weekday}) в {time}. {clinic}[, {address}]. "
        "Не сможете прийти? Сообщите нам[: {phone}]"
    ),
    ("reminder_24h", "sms", "en"): Wording(
        "[{first_name}, ]we expect you on {weekday} {date} at {time}. {clinic}[, {address}]. "
        "Cannot come? Tell us[: {phone}]"
    ),
    ("reminder_2h", "sms", "ru"): Wording("[{first_name}, ]ждём вас {date} в {time}. {clinic}[, {address}]"),
    ("reminder_2h", "sms", "en"): Wording("[{first_name}, ]we expect you on {date} at {time}. {clinic}[, {address}]"),
    ("confirmation", "email", "ru"): Wording(
        "Здравствуйте[, {first_name}]!\n\nВы записаны на {date} ({weekday}), {time}." + CONTACTS["ru"],
        "Запись на {date}, {time}",
    ),
    ("confirmation", "email", "en"): Wording(
        "Hello[ {first_name}],\n\nyou are booked on {weekday} {date} at {time}." + CONTACTS["en"],
        "Booked: {date}, {time}",
    ),
    ("reminder_3d", "email", "ru"): Wording(
        "Здравствуйте[, {first_name}]!\n\nВы записаны на {date} ({weekday}), {time}. "
        "Если планы изменились, сообщите нам, пожалуйста: мы подберём другое время." + CONTACTS["ru"],
        "Вы записаны на {date}, {time}",
    ),
    ("reminder_3d", "email", "en"): Wording(
        "Hello[ {first_name}],\n\nyou are booked on {weekday} {date} at {time}. "
        "If your plans have changed, please tell us: we will find another time." + CONTACTS["en"],
        "Booked: {date}, {time}",
    ),
    ("reminder_24h", "email", "ru"): Wording(
        "Здравствуйте[, {first_name}]!\n\nЖдём вас {date} ({weekday}) в {time}. "
        "Если вы не сможете прийти, сообщите нам, пожалуйста." + CONTACTS["ru"],
        "Ждём вас {date} в {time}",
    ),
    ("reminder_24h", "email", "en"): Wording(
        "Hello[ {first_name}],\n\nwe expect you on {weekday} {date} at {time}. If you cannot come, please tell us."
        + CONTACTS["en"],
        "See you on {date} at {time}",
    ),
    ("reminder_2h", "email", "ru"): Wording(
        "Здравствуйте[, {first_name}]!\n\nЖдём вас {date} в {time}." + CONTACTS["ru"], "Ждём вас {date} в {time}"
    ),
    ("reminder_2h", "email", "en"): Wording(
        "Hello[ {first_name}],\n\nwe expect you on {date} at {time}." + CONTACTS["en"], "See you on {date} at {time}"
    ),
}

MONTHS: dict[str, list[str]] = {
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split(),  # noqa: SIM905
    "en": "January February March April May June July August September October November December".split(),  # noqa: SIM905
}
WEEKDAYS = {"ru": ["пн", "вт", "ср", "чт", "пт", "сб", "вс"], "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]}


def declare(code: str, wordings: Mapping[tuple[str, str], Wording]) -> None:
    """Default texts that stand in the declaration of an automation."""
    DEFAULTS.update({(code, *key): words for key, words in wordings.items()})


def pair(
    sms: str, mail: str, subject: str, *, language: str, promotion: str = "", mail_promotion: str = ""
) -> dict[tuple[str, str], Wording]:
    """An SMS and an e-mail in one language; the e-mail ends with address, phone and the clinic's name."""
    return {
        ("sms", language): Wording(sms, promotion=promotion),
        ("email", language): Wording(mail + CONTACTS[language], subject, mail_promotion),
    }


def exactly(code: str, transport: str, language: str) -> Wording | None:
    """The text in just that language. Other transports than e-mail share the SMS's."""
    return DEFAULTS.get((code, "email" if transport == "email" else "sms", language))


def hash_of(texts: Mapping[str, Wording]) -> str:
    """Of all texts of an advertisement: whether what was approved is what stands there now."""
    plain = json.dumps({key: asdict(words) for key, words in texts.items()}, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()
