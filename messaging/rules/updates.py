"""One update of the Telegram Bot API as far as it concerns us: what somebody wrote in a private chat, or that he blocked
the bot. Groups, channels, edits and bots are nobody to us: a group would read medical secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

GONE = frozenset({"kicked", "left"})
KINDS = ("photo", "voice", "video", "document", "audio", "sticker", "location", "contact", "video_note")


@dataclass(frozen=True)
class Update:
    """`command` = start or stop with its `argument`; `text` of an ordinary message; `quotes`: number of the message that
    it answers; `blocked`: the bot was shut out."""

    id: int
    chat_id: int
    at: datetime
    text: str = ""
    command: str = ""
    argument: str = ""
    quotes: int | None = None
    blocked: bool = False


def read_update(body: Any) -> Update | None:
    """None for what does not concern us. Raises ValueError for what is no update at all."""
    if not isinstance(body, dict) or not _is_number(body.get("update_id")):
        raise ValueError("not an update")
    for name in ("message", "my_chat_member"):
        said = body.get(name)
        if isinstance(said, dict) and _is_private(said):
            return _read(body["update_id"], said, membership=name == "my_chat_member")
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_private(said: Mapping[str, Any]) -> bool:
    chat, sender = said.get("chat"), said.get("from")
    private = isinstance(chat, dict) and chat.get("type") == "private" and _is_number(chat.get("id"))
    return private and not (isinstance(sender, dict) and sender.get("is_bot"))


def _read(update_id: int, said: Mapping[str, Any], *, membership: bool) -> Update | None:
    chat_id, at = said["chat"]["id"], _moment(said.get("date"))
    if membership:
        member = said.get("new_chat_member")
        gone = isinstance(member, dict) and member.get("status") in GONE
        return Update(update_id, chat_id, at, blocked=True) if gone else None
    text = _text(said)
    if text.startswith("/"):
        word, _space, rest = text[1:].partition(" ")
        return Update(update_id, chat_id, at, command=word.split("@")[0].lower(), argument=rest.strip(), text=text)
    quoted = said.get("reply_to_message")
    number = quoted.get("message_id") if isinstance(quoted, dict) else None
    return Update(update_id, chat_id, at, text=text, quotes=number if _is_number(number) else None)


def _text(said: Mapping[str, Any]) -> str:
    """The words; of a sticker its sign; of a picture without words, what it is in brackets."""
    sticker = said.get("sticker")
    for value in (said.get("text"), said.get("caption"), sticker.get("emoji") if isinstance(sticker, dict) else None):
        if isinstance(value, str) and value.strip():
            return value.strip().encode("utf-8", "replace").decode()  # half a sign pair fits in no database
    return f"[{next((kind for kind in KINDS if kind in said), 'message')}]"


def _moment(value: Any) -> datetime:
    try:
        return datetime.fromtimestamp(value if _is_number(value) else 0, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
