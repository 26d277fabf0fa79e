"""One phone, several patients: what they are told in one text instead of one each.

About visits the text lists names and times, and nothing else that could tell what anybody comes for. Any other automation
says its own text once, to all the names together, and only where nothing but the names differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from messaging.rules.texts import CONTACTS, Wording

MOST = 6  # patients in one text
APART = ("first_name", "date", "weekday", "time")  # what may differ between members of one text about visits
ANSWERS = ("confirmation",)  # says that the booking is known; the others say that we wait

_ASK = {"ru": "Не сможете прийти? Сообщите нам[: {phone}]", "en": "Cannot come? Tell us[: {phone}]"}
_WORDS = {
    ("booked", "ru"): ("Вы записаны", "Запись подтверждена"),
    ("booked", "en"): ("Your bookings", "Booked"),
    ("expected", "ru"): ("Ждём вас", "Ждём вас"),
    ("expected", "en"): ("We expect you", "See you"),
}
_AND = {"ru": " и ", "en": " and "}


def wording(template: str, transport: str, language: str) -> Wording:
    """The text about several visits; `{family}` is the list of names and times."""
    spoken = language if language in _AND else "ru"
    kind = "booked" if template in ANSWERS else "expected"
    begin, subject = _WORDS[kind, spoken]
    if transport == "email":
        hello = {"ru": "Здравствуйте!", "en": "Hello,"}[spoken]
        return Wording(f"{hello}\n\n{begin}:\n{{family}}{CONTACTS[spoken]}", f"{subject}: {{days}}")
    end = "" if kind == "booked" else f" {_ASK[spoken]}"
    return Wording(f"{begin}: {{family}}. {{clinic}}[, {{address}}].{end}")


def family_values(values: Sequence[Mapping[str, str]], transport: str, language: str) -> dict[str, str]:
    """The values of a text about several visits; of the places only what is the same for all."""
    lines = [_line(each, language) for each in values]
    same = {name: text for name, text in values[0].items() if all(each.get(name) == text for each in values)}
    shared = {name: text for name, text in same.items() if name not in APART}
    days = ", ".join(dict.fromkeys(each.get("date", "") for each in values))
    glue = "\n" if transport == "email" else "; "
    clinic = shared.get("clinic") or values[0].get("clinic", "")
    return shared | {"clinic": clinic, "family": glue.join(lines), "days": days}


def _line(values: Mapping[str, str], language: str) -> str:
    when = "{weekday} {date}, {time}" if language == "en" else "{date} ({weekday}) в {time}"
    told = when.format_map({name: values.get(name, "") for name in APART})
    return f"{values['first_name']}: {told}" if values.get("first_name") else told


def same_but_names(values: Sequence[Mapping[str, str]]) -> bool:
    """Whether one text can be said to all of these."""

    def rest(each: Mapping[str, str]) -> dict[str, str]:
        return {name: text for name, text in each.items() if name != "first_name"}

    return all(rest(each) == rest(values[0]) for each in values)


def names_together(names: Sequence[str], language: str) -> str:
    """'Аня, Петя и Оля'; '' where one of them is not known."""
    known = list(dict.fromkeys(names))
    if not all(known):
        return ""
    return _AND.get(language, _AND["ru"]).join([*([", ".join(known[:-1])] if known[1:] else []), known[-1]])
