"""The texts that the product comes with, per transport and language. Neutral on purpose: the fact of a visit to a
certain doctor is a medical secret (323-FZ art. 13), so no speciality, service, diagnosis or doctor's name.

A person's edit is a row of `messaging.Template` and stands above these.
"""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("ru", "en")


@dataclass(frozen=True)
class Wording:
    """`subject` is used by e-mail only."""

    body: str
    subject: str = ""


_CONTACTS = {
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
        "Здравствуйте[, {first_name}]!\n\nВы записаны на {date} ({weekday}), {time}." + _CONTACTS["ru"],
        "Запись на {date}, {time}",
    ),
    ("confirmation", "email", "en"): Wording(
        "Hello[ {first_name}],\n\nyou are booked on {weekday} {date} at {time}." + _CONTACTS["en"],
        "Booked: {date}, {time}",
    ),
    ("reminder_24h", "email", "ru"): Wording(
        "Здравствуйте[, {first_name}]!\n\nЖдём вас {date} ({weekday}) в {time}. "
        "Если вы не сможете прийти, сообщите нам, пожалуйста." + _CONTACTS["ru"],
        "Ждём вас {date} в {time}",
    ),
    ("reminder_24h", "email", "en"): Wording(
        "Hello[ {first_name}],\n\nwe expect you on {weekday} {date} at {time}. If you cannot come, please tell us."
        + _CONTACTS["en"],
        "See you on {date} at {time}",
    ),
    ("reminder_2h", "email", "ru"): Wording(
        "Здравствуйте[, {first_name}]!\n\nЖдём вас {date} в {time}." + _CONTACTS["ru"], "Ждём вас {date} в {time}"
    ),
    ("reminder_2h", "email", "en"): Wording(
        "Hello[ {first_name}],\n\nwe expect you on {date} at {time}." + _CONTACTS["en"], "See you on {date} at {time}"
    ),
}

MONTHS: dict[str, list[str]] = {
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split(),  # noqa: SIM905
    "en": "January February March April May June July August September October November December".split(),  # noqa: SIM905
}
WEEKDAYS = {"ru": ["пн", "вт", "ср", "чт", "пт", "сб", "вс"], "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]}


def default(code: str, transport: str, language: str) -> Wording | None:
    """The text for that language, else the Russian one. Other transports than e-mail share the SMS's."""
    kind = "email" if transport == "email" else "sms"
    return DEFAULTS.get((code, kind, language)) or DEFAULTS.get((code, kind, "ru"))
