"""Which text goes out: what was approved, else what a person edited, else what the product came with."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from messaging.models import Approval, Picture, Template
from messaging.queries.links import link_url, unsubscribe_url
from messaging.rules import texts
from messaging.rules.placeholders import LONGEST, MissingValue, filled, one_line
from messaging.rules.texts import Wording
from patients.models.contact import ADVERTISES

TRANSPORTS = ("sms", "email", "telegram")
COLUMNS = ("body", "subject", "promotion", "link", "without_warning")
Key = tuple[str, str, str]


class Written(Protocol):
    """What a text is found by: a message, or one that is being put together."""

    @property
    def pk(self) -> int: ...
    @property
    def template(self) -> str: ...
    @property
    def transport(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def approval_id(self) -> int | None: ...


class Valued(Written, Protocol):
    """One whose values are known."""

    @property
    def purpose(self) -> str: ...
    @property
    def variables(self) -> Any: ...


@dataclass(frozen=True)
class Texts:
    """All texts that a batch may need, read once. `approved`: {approval: {"sms:ru": Wording}}."""

    edited: dict[Key, Wording]
    approved: dict[int, dict[str, Wording]] = field(default_factory=dict)

    def get(self, code: str, transport: str, language: str) -> Wording | None:
        """None when nobody ever wrote such a text. Without one of its own Telegram says what the SMS says."""
        shares = (transport, "sms") if transport == "telegram" else (transport,)
        for spoken in dict.fromkeys((language, "ru")):
            for kind in shares:
                if found := self.edited.get((code, kind, spoken)):
                    return found
            if found := texts.exactly(code, transport, spoken):
                return found
        return None

    def of(self, row: Written) -> Wording | None:
        """The text of a message: an approved one says what was approved, whatever was edited since."""
        approved = self.approved.get(row.approval_id or 0)
        if approved is None:
            return self.get(row.template, row.transport, row.language)
        return approved.get(f"{row.transport}:{row.language}") or approved.get(f"{row.transport}:ru")


def texts_for(codes: Collection[str], approvals: Iterable[int | None] = ()) -> Texts:
    """One query, or two with approvals."""
    rows = Template.objects.filter(code__in=codes).values_list("code", "transport", "language", "picture_id", *COLUMNS)
    edited = {
        (code, transport, language): Wording(picture=picture or "", **dict(zip(COLUMNS, words, strict=True)))
        for code, transport, language, picture, *words in rows
    }
    ids = {pk for pk in approvals if pk}
    found = Approval.objects.filter(pk__in=ids).values_list("pk", "texts") if ids else []
    return Texts(edited, {pk: snapshot_words(snapshot) for pk, snapshot in found if snapshot})


def snapshot_words(snapshot: dict[str, dict[str, str]]) -> dict[str, Wording]:
    return {key: Wording(**words) for key, words in snapshot.items()}


def finished(row: Valued, found: Texts) -> tuple[str, str]:
    """(text, subject) of a message whose `variables` are known. Raises MissingValue, also when there is no such text."""
    words = found.of(row)
    if words is None:
        raise MissingValue(row.template)
    values = dict(row.variables) | links_of(row.pk, words)
    return composed(words, values, row.transport, row.language, advertises=row.purpose in ADVERTISES)


def composed(
    words: Wording, values: dict[str, str], transport: str, language: str, *, advertises: bool
) -> tuple[str, str]:
    """(text, subject) with the values put in; of an advertisement the warning is the last that may be cut off."""
    warning = words.warning(transport, language, advertises=advertises)
    text = filled(words.whole(transport), values)[: LONGEST - len(warning)] + warning
    return text, one_line(filled(words.subject, values))[:200] if words.subject else ""


def links_of(message_id: int, words: Wording) -> dict[str, str]:
    """The addresses that are made for one message; {link} has none where the text leads nowhere."""
    return {"unsubscribe": unsubscribe_url(message_id)} | ({"link": link_url(message_id)} if words.link else {})


def wording(code: str, transport: str, language: str) -> Wording | None:
    return texts_for({code}).get(code, transport, language)


def pictures_for(rows: Collection[Written]) -> dict[int, tuple[bytes, str]]:
    """{message: (content, type)} of the e-mails that carry a picture: three queries whatever their number."""
    mails = [row for row in rows if row.transport == "email" and row.template]
    if not mails:
        return {}
    found = texts_for({row.template for row in mails}, {row.approval_id for row in mails})
    hashes = {row.pk: words.picture for row in mails if (words := found.of(row)) and words.picture}
    pictures: dict[str, Any] = Picture.objects.in_bulk(set(hashes.values())) if hashes else {}
    return {
        pk: (bytes(pictures[key].content), pictures[key].content_type) for pk, key in hashes.items() if key in pictures
    }


@dataclass(frozen=True)
class TemplateRow:
    code: str
    transport: str
    language: str
    wording: Wording
    edited: bool


def template_rows(codes: list[str]) -> list[TemplateRow]:
    """Every text of these codes, SMS before e-mail before Telegram, Russian before English."""
    found = texts_for(set(codes))
    keys = [(code, t, lang) for code in codes for t in TRANSPORTS for lang in texts.LANGUAGES]
    rows = [(key, found.get(*key)) for key in keys]
    return [TemplateRow(*key, wording=words, edited=key in found.edited) for key, words in rows if words is not None]
