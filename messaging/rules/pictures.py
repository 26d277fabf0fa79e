"""What may be embedded in an e-mail: a small PNG or JPEG, told by its first bytes and never by its name."""

from __future__ import annotations

LARGEST = 300 * 1024
KINDS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


class BadPicture(ValueError):
    """`what`: size or kind."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def kind_of(content: bytes) -> str:
    """The content type. Raises BadPicture."""
    if len(content) > LARGEST:
        raise BadPicture("size")
    for begin, kind in KINDS:
        if content.startswith(begin):
            return kind
    raise BadPicture("kind")
