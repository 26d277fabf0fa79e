"""A text as the bytes of its SMS (3GPP TS 23.038, 23.040): which alphabet, and how a long one is cut.

A part of a long text begins with a header of six octets (UDH), which leaves 153 septets or 67 units of UCS-2. Nothing is
cut in the middle: neither an escaped sign of GSM-7 nor a pair of surrogates.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from messaging.rules.segments import EXTENDED, segments

# The default alphabet in the order of its codes; 0x1B is the escape to the extension.
ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip
GSM_7, UCS_2 = 0, 8  # data_coding
ESCAPE = b"\x1b"
MOST_PARTS = 255
ALONE = {GSM_7: 160, UCS_2: 140}  # octets as they travel: GSM-7 unpacked, one septet an octet
JOINED = {GSM_7: 153, UCS_2: 134}


@dataclass(frozen=True)
class Parts:
    """`bodies` with their headers where there are several; `headed` says so (UDHI in esm_class)."""

    data_coding: int
    headed: bool
    bodies: list[bytes]


def parts_of(text: str, reference: str) -> Parts:
    """`reference` names the message: its parts carry the same number at every try, so that a phone which has got one
    already does not show it twice. Raises ValueError for a text of more than 255 parts.
    """
    coding = GSM_7 if segments(text).alphabet == "GSM-7" else UCS_2
    signs = [_gsm(char) if coding == GSM_7 else char.encode("utf-16-be") for char in text]
    if sum(map(len, signs)) <= ALONE[coding]:
        return Parts(coding, False, [b"".join(signs)])
    bodies = list(_packed(signs, JOINED[coding]))
    if len(bodies) > MOST_PARTS:
        raise ValueError("too long for an SMS")
    number = zlib.crc32(reference.encode()) & 0xFF
    head = bytes((5, 0, 3, number, len(bodies)))
    return Parts(coding, True, [head + bytes((at,)) + body for at, body in enumerate(bodies, start=1)])


def _gsm(char: str) -> bytes:
    if char in EXTENDED:
        return ESCAPE + bytes((EXTENSION[char],))
    return bytes((ALPHABET.index(char),))


def _packed(signs: Sequence[bytes], room: int) -> Iterator[bytes]:
    body = b""
    for sign in signs:
        if len(body) + len(sign) > room:
            yield body
            body = b""
        body += sign
    yield body


def text_of(body: bytes, data_coding: int, *, headed: bool) -> str:
    """The other way: what a phone sent us. Unknown codings are read as Latin."""
    if headed and body:
        body = body[1 + body[0] :]
    if data_coding == UCS_2:
        return body.decode("utf-16-be", "replace")
    if data_coding != GSM_7:
        return body.decode("latin-1")
    escaped = {code: char for char, code in EXTENSION.items()}
    found, plain = "", True
    for code in body:
        if plain and code == ESCAPE[0]:
            plain = False
            continue
        found += ALPHABET[code & 0x7F] if plain else escaped.get(code, "?")
        plain = True
    return found
