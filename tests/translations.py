"""Translations: collect messages (no GNU gettext needed), merge, compile, and check that nothing is missing or fuzzy.

python -m tests.translations collect   writes new msgids into locale/ru/LC_MESSAGES/django.po
python -m tests.translations compile   writes django.mo
python -m tests.translations check     exit 1 when a message is untranslated, fuzzy, unknown or the .mo is stale
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "locale/ru/LC_MESSAGES/django.po"
MO = PO.with_suffix(".mo")
APPS = [
    "clinic_crm", "core", "staff", "patients", "messaging", "funnel", "loyalty", "analytics", "followup", "reception",
    "mis", "demo",
]  # fmt: skip
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
Message = tuple[object, str | None]


def _python_messages() -> set[Message]:
    found: set[Message] = set()
    for app in APPS:
        for file in sorted((ROOT / app).rglob("*.py")):
            for _line, message, _comments, context in extract_from_file("python", file, keywords=KEYWORDS):
                found.add((message, context))
    return found


def _template_messages() -> set[Message]:
    """Django's own reader of templates turns tags into calls that the Python extractor understands."""
    from django.utils.translation.template import templatize

    found: set[Message] = set()
    for file in sorted((ROOT / "templates").rglob("*.*")):
        if file.suffix not in {".html", ".txt"}:
            continue
        source = templatize(file.read_text(encoding="utf-8"), origin=str(file))
        # What is left of the page's text is filler, but its indentation would trip Python's tokenizer.
        stream = io.BytesIO("\n".join(line.strip() for line in source.splitlines()).encode("utf-8"))
        for _line, message, _comments, context in extract("python", stream, keywords=KEYWORDS):
            found.add((message, context))
    return found


def wanted() -> set[Message]:
    """Every message of code and templates: (msgid or (singular, plural), context)."""
    return {(message, context) for message, context in _python_messages() | _template_messages() if message}


def catalog() -> Catalog:
    if not PO.exists():
        return Catalog(locale="ru", domain="django")
    with PO.open("rb") as stream:
        return read_po(stream, locale="ru", domain="django")


def _key(message: object) -> object:
    return message[0] if isinstance(message, tuple) else message


def _complete(entry: object) -> bool:
    strings = entry.string if isinstance(entry.string, tuple) else (entry.string,)  # type: ignore[attr-defined]
    return all(strings) and not entry.fuzzy  # type: ignore[attr-defined]


def problems() -> list[str]:
    known = catalog()
    needed = {(_key(message), context) for message, context in wanted()}
    found = []
    for message, context in sorted(needed, key=str):
        entry = known.get(message, context)
        if entry is None or not _complete(entry):
            found.append(f"untranslated or fuzzy: {message!r}")
    for entry in known:
        if entry.id and (_key(entry.id), entry.context) not in needed:
            found.append(f"no longer used: {_key(entry.id)!r}")
    if not found and (not MO.exists() or MO.read_bytes() != compiled(known)):
        found.append("django.mo is stale: run make messages")
    return found


def collect() -> None:
    """Adds new messages, keeps their translations, drops what nothing uses."""
    old = catalog()
    fresh = Catalog(locale="ru", domain="django", project="Clinic CRM", version="1", header_comment="")
    for message, context in sorted(wanted(), key=str):
        entry = old.get(_key(message), context)
        fresh.add(message, entry.string if entry is not None and _complete(entry) else "", context=context)
    save(fresh)


def save(fresh: Catalog) -> None:
    fresh.fuzzy = False
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as stream:
        write_po(stream, fresh, omit_header=False, sort_output=True, width=120, no_location=True)


def compiled(known: Catalog) -> bytes:
    stream = io.BytesIO()
    write_mo(stream, known)
    return stream.getvalue()


def main(verb: str) -> int:
    import django
    from django.conf import settings

    settings.configure(USE_I18N=True)
    django.setup()
    if verb == "collect":
        collect()
    if verb in ("collect", "compile"):
        MO.write_bytes(compiled(catalog()))
    found = problems() if verb == "check" else []
    print("\n".join(found[:200]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
