"""Files that lie on the disk encrypted and are read like any other: in pieces, from any place, never as a plain copy.

A file is a mark, a salt of its own, and blocks under AES-GCM. A block's number is its nonce and the last one says that it
is the last, so blocks cannot be swapped, left out or cut off unnoticed. The key comes from the salt and a secret.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MARK, SALT, TAG, BLOCK = b"sealed1\n", 16, 16, 64 * 1024
HEAD = len(MARK) + SALT


class Damaged(OSError):
    """No secret in force opens the file, or somebody has changed it."""


def _cipher(secret: str, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"core.sealed").derive(secret.encode()))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def seal(content: bytes, secret: str) -> bytes:
    """Something small, for a column: the same form as a file of one block."""
    salt = secrets.token_bytes(SALT)
    return MARK + salt + _cipher(secret, salt).encrypt(_nonce(0), content, b"last")


def unseal(box: bytes, secrets_in_force: Sequence[str]) -> bytes:
    """What `seal` was given. Raises Damaged."""
    salt = box[len(MARK) : HEAD]
    for secret in secrets_in_force:
        try:
            return _cipher(secret, salt).decrypt(_nonce(0), box[HEAD:], b"last")
        except InvalidTag:
            continue
    raise Damaged("no key in force opens it, or it was changed")


class SealedWriter:
    """`with SealedWriter(path, secret) as file: file.write(...)`: a new file that only its owner reads (0600)."""

    def __init__(self, path: Path, secret: str) -> None:
        salt = secrets.token_bytes(SALT)
        self._cipher, self._number, self._rest = _cipher(secret, salt), 0, bytearray()
        self._file = path.open("xb")
        path.chmod(0o600)
        self._file.write(MARK + salt)

    def write(self, piece: bytes) -> None:
        self._rest += piece
        while len(self._rest) > BLOCK:  # the last block stays here: it has to say that it is the last
            self._put(bytes(self._rest[:BLOCK]), b"")
            del self._rest[:BLOCK]

    def _put(self, block: bytes, said: bytes) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number), block, said))
        self._number += 1

    def __enter__(self) -> SealedWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._file:
            if kind is None:
                self._put(bytes(self._rest), b"last")


class _Blocks(io.RawIOBase):
    """The plain bytes of a sealed file."""

    def __init__(self, path: Path, secrets_in_force: Sequence[str]) -> None:
        self._file = path.open("rb")
        body = path.stat().st_size - HEAD
        self._last = max(-(-body // (BLOCK + TAG)) - 1, 0)
        self._size, self._at, self._held = body - TAG * (self._last + 1), 0, (-1, b"")
        salt = self._file.read(HEAD)[len(MARK) :]
        self._cipher = self._that_fits([_cipher(secret, salt) for secret in secrets_in_force])

    def _that_fits(self, ciphers: list[AESGCM]) -> AESGCM:
        for cipher in ciphers:
            try:
                self._held = (0, self._open(cipher, 0))
            except InvalidTag:
                continue
            return cipher
        self._file.close()
        raise Damaged("no key in force opens this file")

    def _open(self, cipher: AESGCM, number: int) -> bytes:
        self._file.seek(HEAD + number * (BLOCK + TAG))
        box = self._file.read(BLOCK + TAG)
        return cipher.decrypt(_nonce(number), box, b"last" if number == self._last else b"")

    def _block(self, number: int) -> bytes:
        if self._held[0] != number:
            try:
                self._held = (number, self._open(self._cipher, number))
            except InvalidTag:
                raise Damaged("the file was changed") from None
        return self._held[1]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        number, skip = divmod(self._at, BLOCK)
        piece = self._block(number)[skip : skip + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()


class SealedPath:
    """Stands where readers of tables expect a path: `open` gives plain bytes or text. A plain file is read as it is."""

    def __init__(self, path: Path, secrets_in_force: Sequence[str]) -> None:
        self.path, self._secrets = path, secrets_in_force

    def open(
        self, mode: str = "r", *, encoding: str | None = None, errors: str | None = None, newline: str | None = None
    ) -> IO[Any]:
        """`r` or `rb`. Raises Damaged, OSError."""
        file = self._bytes()
        return file if "b" in mode else io.TextIOWrapper(file, encoding=encoding, errors=errors, newline=newline)

    def _bytes(self) -> io.BufferedReader:
        with self.path.open("rb") as file:
            if file.read(len(MARK)) != MARK:  # from before files were sealed: gone within 30 days
                return self.path.open("rb")
        return io.BufferedReader(_Blocks(self.path, self._secrets), BLOCK)

    def is_file(self) -> bool:
        return self.path.is_file()

    def unlink(self, missing_ok: bool = False) -> None:
        self.path.unlink(missing_ok=missing_ok)


Readable = Path | SealedPath
