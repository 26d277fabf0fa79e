"""Delivery receipts of SMPP 3.4: the TLVs where the provider gives them, else the text of appendix B."""

from __future__ import annotations

import re

# Words of the text, and numbers of `message_state` → the words of `messaging.actions.reports`.
WORDS = {
    "DELIVRD": "delivered", "EXPIRED": "expired", "UNDELIV": "undelivered", "DELETED": "undelivered",
    "REJECTD": "undelivered", "ACCEPTD": "sent", "ENROUTE": "sent",
}  # fmt: skip
NUMBERS = {
    1: "sent", 2: "delivered", 3: "expired", 4: "undelivered", 5: "undelivered", 6: "sent", 8: "undelivered",
}  # fmt: skip
ID, STAT, ERR = re.compile(r"\bid:([^\s]+)"), re.compile(r"\bstat:([A-Za-z]{5,8})"), re.compile(r"\berr:(\w+)")


def receipt(text: str, tlv_id: str = "", tlv_state: int | None = None) -> tuple[str, str, str] | None:
    """(the provider's id, status, its error code); None for what is no receipt or says nothing (UNKNOWN)."""
    id_ = tlv_id or _first(ID, text)
    status = NUMBERS.get(tlv_state, "") if tlv_state is not None else WORDS.get(_first(STAT, text).upper()[:7], "")
    return (id_, status, _first(ERR, text)) if id_ and status else None


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
