"""A folder in the exchange format, checked as a whole before anything of it is written."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from core.clock import zone
from mis.queries.tables import BadFile, bad_byte, csv_rows, delimiter_of, json_rows
from mis.rules.exchange import DEFAULT_THETA, FILES, LATER, SUFFIXES, FileKind


class BadFolder(ValueError):
    """Nothing was loaded. `lines`: one clear line for each thing that is wrong."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True)
class ClinicFile:
    """clinic.json: zone and rules of the clinic."""

    tz: str
    currency: str
    theta_days: int
    history_from: date | None


@dataclass
class FolderFile:
    """A file that will be loaded. `twice`: external key -> rows that bear it with different content."""

    kind: FileKind
    path: Path
    rows: int = 0
    delimiter: str = ","
    header: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # columns that nobody here knows
    twice: dict[tuple[str, ...], list[int]] = field(default_factory=dict)
    same: set[int] = field(default_factory=set)  # rows that repeat an earlier one word for word

    def raw_rows(self) -> Iterator[tuple[int, dict[str, Any] | str]]:
        """(row number, fields by column), or the reason why the row has no shape."""
        if self.path.suffix == ".json":
            yield from json_rows(self.path)
            return
        width = len(self.header)
        rows = csv_rows(self.path, "utf-8-sig", self.delimiter)
        next(rows, None)
        for number, cells in rows:
            if len(cells) == width:
                yield number, dict(zip(self.header, cells, strict=True))
            else:
                wrong = {"cells": len(cells), "columns": width}
                yield number, _("has %(cells)d cells where the header has %(columns)d columns") % wrong

    def identities(self) -> Iterator[tuple[object, ...]]:
        """The identity of every row, without making rows of them: this pass only looks for ids that stand twice."""
        if self.path.suffix == ".json":
            yield from (key_of(self.kind, row) for _number, row in json_rows(self.path))
            return
        width, places = len(self.header), [self.header.index(name) for name in self.kind.key]
        rows = csv_rows(self.path, "utf-8-sig", self.delimiter)
        next(rows, None)
        if len(places) == 1:  # no loop in the loop: this runs for every row of every file
            at = places[0]
            yield from ((cells[at].strip(),) if len(cells) == width else (number,) for number, cells in rows)
            return
        for number, cells in rows:
            yield tuple(cells[at].strip() for at in places) if len(cells) == width else (number,)


@dataclass
class Folder:
    files: list[FolderFile]
    clinic: ClinicFile | None
    skipped: list[str]  # files of rooms that are not built yet
    strange: list[str]  # files that the format does not know


def open_folder(folder: Path, known_fields: dict[str, frozenset[str]]) -> Folder:
    """Reads every file once: shape, encoding, columns, ids that stand twice. Raises BadFolder.

    `known_fields`: resource -> fields of the row interface.
    """
    if not folder.is_dir():
        raise BadFolder([_("there is no directory %(path)s") % {"path": folder}])
    wrong: list[str] = []
    files = []
    for kind in FILES:
        path = _path_of(folder, kind.name, wrong)
        if path is None:
            continue
        try:
            files.append(_checked(kind, path, known_fields[kind.resource]))
        except BadFile as error:
            wrong.append(f"{path.name}: {error}")
    clinic = _clinic_file(folder, wrong)
    skipped = [name for name in LATER if any((folder / f"{name}{suffix}").exists() for suffix in SUFFIXES)]
    if not (files or clinic or skipped or wrong):
        wrong.append(_("%(path)s holds no file of the exchange format") % {"path": folder})
    if wrong:
        raise BadFolder(wrong)
    return Folder(files, clinic, skipped, _strange(folder))


def _path_of(folder: Path, name: str, wrong: list[str]) -> Path | None:
    found = [folder / f"{name}{suffix}" for suffix in SUFFIXES if (folder / f"{name}{suffix}").is_file()]
    if len(found) > 1:
        wrong.append(_("%(name)s stands there twice: as .csv and as .json") % {"name": name})
    return found[0] if found else None


def _strange(folder: Path) -> list[str]:
    known = {kind.name for kind in FILES} | set(LATER) | {"clinic", "expected"}
    names = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    return [path.name for path in names if path.stem not in known]


def _clinic_file(folder: Path, wrong: list[str]) -> ClinicFile | None:
    path = folder / "clinic.json"
    if not path.is_file():
        return None
    try:
        said = json.loads(path.read_text(encoding="utf-8-sig"))
        zone(said["tz"])
        theta, since = said.get("theta_days"), said.get("history_from")
        if theta is not None and not (type(theta) is int and 1 <= theta <= 3650):
            raise ValueError(_("theta_days must be a whole number of days from 1 to 3650"))
        history = date.fromisoformat(since) if since else None
        currency = str(said.get("currency") or "")[:3]
        return ClinicFile(said["tz"], currency, theta or DEFAULT_THETA, history)
    except KeyError as error:
        wrong.append(_("clinic.json: %(name)s is missing") % {"name": error.args[0]})
    except (ValueError, TypeError, AttributeError) as error:
        wrong.append(f"clinic.json: {error}")
    return None


def _checked(kind: FileKind, path: Path, known: frozenset[str]) -> FolderFile:
    file = FolderFile(kind, path)
    if path.suffix == ".csv":
        line = bad_byte(path)
        if line is not None:
            raise BadFile(_("line %(line)d is not UTF-8 text; save the file as UTF-8") % {"line": line})
        file.delimiter = delimiter_of(path, "utf-8-sig")
        file.header = _header(kind, path, file.delimiter)
        file.unknown = [name for name in file.header if kind.rename.get(name, name) not in known]
    _count(file)
    return file


def _header(kind: FileKind, path: Path, delimiter: str) -> list[str]:
    first = next(csv_rows(path, "utf-8-sig", delimiter), None)
    if first is None:
        raise BadFile(_("it is empty: not even a header"))
    header = [name.strip() for name in first[1]]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise BadFile(_("the header names a column twice: %(names)s") % {"names": ", ".join(twice)})
    absent = [name for name in kind.required if name not in header]
    if absent:
        raise BadFile(_("columns are missing in the header: %(names)s") % {"names": ", ".join(absent)})
    return header


def key_of(kind: FileKind, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row.get(name) or "").strip() for name in kind.key)


def _count(file: FolderFile) -> None:
    """Number of rows, and ids that stand twice: found by sorting hashes, eight bytes a row, so memory stays flat."""
    hashes = array("q")
    for key in file.identities():
        hashes.append(hash(key))
    file.rows = len(hashes)
    ordered = np.sort(np.frombuffer(hashes, dtype=np.int64)) if hashes else np.empty(0, np.int64)
    repeated = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    if repeated:
        _find_twice(file, repeated)


def _find_twice(file: FolderFile, repeated: set[int]) -> None:
    first: dict[tuple[str, ...], tuple[int, int]] = {}
    for number, row in file.raw_rows():
        if isinstance(row, str):
            continue
        key = key_of(file.kind, row)
        if not any(key) or hash(key) not in repeated:
            continue
        content = hash(json.dumps(row, sort_keys=True))
        seen = first.setdefault(key, (number, content))
        if seen[0] == number:
            continue
        if seen[1] == content and key not in file.twice:
            file.same.add(number)
        else:
            file.twice.setdefault(key, [seen[0]]).append(number)
