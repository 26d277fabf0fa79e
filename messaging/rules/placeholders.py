"""The closed language of message texts: `{placeholder}` from a fixed list, `[optional part]`, nothing else.

Staff text never reaches a template engine: no attributes, no loops, no filters. An unknown placeholder is refused when
the text is saved. An optional part disappears as a whole when one of its values is missing; a missing value outside of
one raises MissingValue, and that message is not sent: nobody reads "Dear None".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACEHOLDERS: dict[str, dict[str, str]] = {
    "first_name": {"ru": "Мария", "en": "Maria"},
    "date": {"ru": "26 ноября", "en": "26 November"},
    "weekday": {"ru": "чт", "en": "Thu"},
    "time": {"ru": "10:30", "en": "10:30"},
    "clinic": {"ru": "Клиника на Мясницкой", "en": "Myasnitskaya Clinic"},
    "branch": {"ru": "Центр", "en": "Centre"},
    "address": {"ru": "ул. Мясницкая, 1", "en": "1 Myasnitskaya St"},
    "phone": {"ru": "+7 495 000-00-00", "en": "+7 495 000-00-00"},
    # As long as they will be: what is counted while typing is what is paid for.
    "link": {
        "ru": "https://klinika.ru/l/2n9c-kTzq0X9vWb3JmYl8PAhLxg/",
        "en": "https://clinic.com/l/2n9c-kTzq0X9vWb3JmYl8PAhLxg/",
    },
    "unsubscribe": {
        "ru": "https://klinika.ru/u/2n9c-Wb3JmYl8PAhLxgkTzq0X9v/",
        "en": "https://clinic.com/u/2n9c-Wb3JmYl8PAhLxgkTzq0X9v/",
    },
}
LONGEST = 1000  # of a finished text
HOLE = re.compile(r"\{([^{}]*)\}")
OPTION = re.compile(r"\[([^\[\]]*)\]")


class BadTemplate(ValueError):
    """The text breaks the closed language. `what`: unknown, brackets, nested, empty or long; `word`: at fault."""

    def __init__(self, what: str, word: str = "") -> None:
        super().__init__(f"{what}: {word}")
        self.what, self.word = what, word


class MissingValue(ValueError):
    """A placeholder outside of an optional part has no value."""


def check(body: str) -> None:
    """Raises BadTemplate."""
    if not body.strip():
        raise BadTemplate("empty")
    if len(body) > LONGEST:
        raise BadTemplate("long")
    for name in HOLE.findall(body):
        if name not in PLACEHOLDERS:
            raise BadTemplate("unknown", name)
    rest = HOLE.sub("", body)
    if "{" in rest or "}" in rest:
        raise BadTemplate("brackets", "{ }")
    rest = OPTION.sub("", rest)
    if "[" in rest or "]" in rest:
        raise BadTemplate("nested", "[ ]")


def filled(body: str, values: Mapping[str, str]) -> str:
    """The finished text. Values are put in as they are and never read again: a name may hold `{` or `[`."""
    pieces = []
    for index, part in enumerate(OPTION.split(body)):
        optional = index % 2 == 1
        if not optional or all(values.get(name) for name in HOLE.findall(part)):
            pieces.append(_holes(part, values))
    return "".join(pieces).strip()[:LONGEST]


def _holes(part: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "")
        if not found:
            raise MissingValue(match[1])
        return found

    return HOLE.sub(value, part)


def examples(language: str) -> dict[str, str]:
    return {name: values.get(language, values["en"]) for name, values in PLACEHOLDERS.items()}


def filled_for_size(body: str, language: str) -> str:
    """The text with example values, for counting: whatever it lacks, it does not raise."""
    return HOLE.sub(
        lambda match: examples(language).get(match[1], ""), OPTION.sub(lambda match: match[1], body)
    ).strip()


def one_line(text: str) -> str:
    """For subjects: a line break in a header is an injected header."""
    return " ".join(text.split())
