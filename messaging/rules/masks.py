"""Addresses on pages that a link opens: enough to know one's own, too little to learn somebody's."""

from __future__ import annotations

import re

SHOWN = 2
CODES = re.compile(r"(/[ul]/|[?&]start=)[\w-]{8,}")


def masked(address: str) -> str:
    """`+79123456789` → `+7•••••••••89`, `maria@example.org` → `m••••@example.org`; a chat number says nothing: ''."""
    name, at, host = address.partition("@")
    if at:
        return f"{name[:1]}{'•' * max(len(name) - 1, 2)}@{host}"
    if address.startswith("+"):
        return f"{address[:2]}{'•' * max(len(address) - 2 - SHOWN, 0)}{address[-SHOWN:]}"
    return ""


def without_codes(text: str) -> str:
    """The text with the codes of its links taken out: whoever has them unsubscribes or links a chat as the patient."""
    return CODES.sub(r"\1…", text)
