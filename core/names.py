"""Names as they are compared and searched: SQLite's own search knows no Cyrillic case, so we keep a normal form."""

from __future__ import annotations

import re
import secrets
import unicodedata

SPACES = re.compile(r"\s+")
CODE_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: nobody reads O for 0 over the phone


def clean_text(text: str) -> str:
    """Trimmed, one space between words, NFC, without NUL (PostgreSQL refuses it)."""
    return SPACES.sub(" ", unicodedata.normalize("NFC", text.replace("\x00", ""))).strip()


def folded(text: str) -> str:
    """The form in which names are compared: 'Ёлкина ' -> 'елкина'."""
    return clean_text(text).casefold().replace("ё", "е")


def new_code() -> str:
    """Twelve letters and digits, 60 random bits: the external id of what was made here."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(12))
