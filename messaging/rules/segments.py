"""How many SMS a text costs (3GPP TS 23.038): GSM-7 160/153 septets, UCS-2 70/67 code units."""

from __future__ import annotations

from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€\f")


@dataclass(frozen=True)
class Segments:
    """`used` counts septets (GSM-7) or 16-bit units (UCS-2); `left` are those still free in the last segment."""

    alphabet: str
    used: int
    count: int
    left: int


def segments(text: str) -> Segments:
    if all(char in BASIC or char in EXTENDED for char in text):
        return _counted("GSM-7", sum(2 if char in EXTENDED else 1 for char in text), 160, 153)
    return _counted("UCS-2", len(text.encode("utf-16-be")) // 2, 70, 67)


def _counted(alphabet: str, used: int, alone: int, joined: int) -> Segments:
    count = 1 if used <= alone else -(-used // joined)
    return Segments(alphabet, used, count, (alone if count == 1 else count * joined) - used)
