"""What lies sealed on the disk is read back as it was, and not at all once it was touched."""

from __future__ import annotations

import io
import random
import zipfile

import pytest

from core.sealed import BLOCK, HEAD, TAG, Damaged, SealedPath, SealedWriter

KEY = "k" * 50


def sealed(path, plain: bytes, pieces: int = 1000, key: str = KEY) -> SealedPath:
    with SealedWriter(path, key) as file:
        for at in range(0, len(plain), pieces):
            file.write(plain[at : at + pieces])
    return SealedPath(path, [key])


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 17])
def test_it_is_read_back_as_it_was_from_any_place(tmp_path, size: int):
    plain = random.Random(size).randbytes(size)
    found = sealed(tmp_path / "a", plain)
    with found.open("rb") as file:
        assert file.read() == plain
        for _n in range(20):
            at = random.randrange(size + 1)
            file.seek(at)
            assert file.read(100) == plain[at : at + 100]
        assert file.seek(0, io.SEEK_END) == size


def test_nothing_of_it_stands_on_the_disk_and_only_its_owner_may_read_it(tmp_path):
    sealed(tmp_path / "a", "Иванова Анна;+79123456789\n".encode() * 1000)
    raw = (tmp_path / "a").read_bytes()
    assert b"79123456789" not in raw
    assert "Иванова".encode() not in raw
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_texts_and_archives_are_read_through_it(tmp_path):
    text = "имя;телефон\nАнна;1\n" * 9000
    with sealed(tmp_path / "a", text.encode("cp1251")).open(encoding="cp1251", newline="") as file:
        assert file.read() == text
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x", b"1" * 200_000)
    with sealed(tmp_path / "b", packed.getvalue()).open("rb") as file:
        assert zipfile.ZipFile(file).read("x") == b"1" * 200_000


def changed(raw: bytes, how: str) -> bytes:
    one, two = raw[HEAD : HEAD + BLOCK + TAG], raw[HEAD + BLOCK + TAG : HEAD + 2 * (BLOCK + TAG)]
    rest = raw[HEAD + 2 * (BLOCK + TAG) :]
    return {
        "a bit": raw[:-1] + bytes([raw[-1] ^ 1]),
        "cut off at a block": raw[: HEAD + BLOCK + TAG],
        "cut off": raw[:-5],
        "swapped": raw[:HEAD] + two + one + rest,
        "left out": raw[:HEAD] + one + rest,
    }[how]


@pytest.mark.parametrize("how", ["a bit", "cut off at a block", "cut off", "swapped", "left out"])
def test_what_was_touched_does_not_open(tmp_path, how: str):
    found = sealed(tmp_path / "a", random.Random(1).randbytes(2 * BLOCK + 5000))
    found.path.write_bytes(changed(found.path.read_bytes(), how))
    with pytest.raises(Damaged), found.open("rb") as file:
        file.read()


def test_another_secret_does_not_open_it_but_the_one_before_a_rotation_does(tmp_path):
    sealed(tmp_path / "a", b"plain")
    with pytest.raises(Damaged):
        SealedPath(tmp_path / "a", ["other" * 10]).open("rb")
    assert SealedPath(tmp_path / "a", ["other" * 10, KEY]).open("rb").read() == b"plain"


def test_a_plain_file_from_before_is_read_as_it_is(tmp_path):
    (tmp_path / "a").write_bytes(b"plain")
    assert SealedPath(tmp_path / "a", [KEY]).open("rb").read() == b"plain"
