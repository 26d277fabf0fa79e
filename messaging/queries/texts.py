"""Which text goes out: what a person edited, else what the product came with."""

from __future__ import annotations

from dataclasses import dataclass

from messaging.models import Template
from messaging.rules import texts
from messaging.rules.texts import Wording


@dataclass(frozen=True)
class Texts:
    """All edited texts, read once a batch."""

    edited: dict[tuple[str, str, str], Wording]

    def get(self, code: str, transport: str, language: str) -> Wording | None:
        """None when nobody ever wrote such a text."""
        return self.edited.get((code, transport, language)) or texts.default(code, transport, language)


def texts_for(codes: set[str]) -> Texts:
    rows = Template.objects.filter(code__in=codes).values_list("code", "transport", "language", "body", "subject")
    return Texts(
        {(code, transport, language): Wording(body, subject) for code, transport, language, body, subject in rows}
    )


def wording(code: str, transport: str, language: str) -> Wording | None:
    return texts_for({code}).get(code, transport, language)


@dataclass(frozen=True)
class TemplateRow:
    code: str
    transport: str
    language: str
    wording: Wording
    edited: bool


def template_rows(codes: list[str]) -> list[TemplateRow]:
    """Every text of these codes, SMS before e-mail, Russian before English."""
    found = texts_for(set(codes))
    keys = [(code, t, lang) for code in codes for t in ("sms", "email") for lang in texts.LANGUAGES]
    rows = [(key, found.get(*key)) for key in keys]
    return [TemplateRow(*key, wording=words, edited=key in found.edited) for key, words in rows if words is not None]
