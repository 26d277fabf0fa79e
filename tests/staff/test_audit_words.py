"""The audit log in words: whatever the code writes into it, a person can read, in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import override

from mis.actions.intake import RECORD
from staff.access import PATIENT, SYSTEM
from staff.actions.audit import record
from staff.models import AuditEntry
from staff.views.audit_words import DEEDS, FIELDS, KINDS, deed_options, said
from tests import make

ROOT = Path(__file__).resolve().parents[2]
APPS = (
    "core",
    "staff",
    "patients",
    "messaging",
    "funnel",
    "loyalty",
    "analytics",
    "followup",
    "mis",
    "reception",
    "demo",
)
NO_RECORDS = {"needs", "may", "Column", "Field", "Ref", "Listed", "Nested"}  # their `deed` is one of the access table
# What stands behind a name that is put together.
MADE = {
    "record_{}": [f"record_{name}" for name in (*RECORD, "messages")],
    "read_{}": [
        f"read_{name}"
        for name in ("patients", "visits", "payments", "consents", "touchpoints", "messages", "leads", "calls")
    ],
    "{}_{}": [f"{verb}_{kind}" for verb in ("add", "change") for kind in ("branch", "doctor")],
}


def modules() -> Iterator[ast.Module]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield ast.parse(path.read_text())


def takers(module: ast.Module, name: str) -> dict[str, int]:
    """Functions that are told a deed (or what `name` says) -> at which place."""
    found = {}
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef):
            names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
            if name in names:
                found[node.name] = names.index(name)
    return found


def texts(value: ast.expr) -> Iterator[str]:
    """Every string that the expression may be."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from (*texts(value.body), *texts(value.orelse))
    elif isinstance(value, ast.Tuple):  # names of fields
        yield from (text for one in value.elts for text in texts(one))
    elif isinstance(value, ast.JoinedStr):
        yield from MADE["".join(part.value if isinstance(part, ast.Constant) else "{}" for part in value.values)]


def told(name: str) -> set[str]:
    """What the code ever gives as `name`: by keyword, by place to a function of the same file, or by a variable."""
    found: set[str] = set()
    for module in modules():
        places = takers(module, name)
        for node in ast.walk(module):
            if isinstance(node, ast.Assign) and any(
                isinstance(one, ast.Name) and one.id == name for one in node.targets
            ):
                found |= set(texts(node.value))
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            if called in NO_RECORDS:
                continue
            given = [keyword.value for keyword in node.keywords if keyword.arg == name]
            place = places.get(called)
            given += node.args[place : place + 1] if place is not None else []
            found |= {text for value in given for text in texts(value)}
    return found - {""}


def test_the_walk_finds_deeds_of_every_kind():
    assert {"sign_in", "give_consent", "withdraw_consent", "open_work_item", "record_visits", "add_branch", "take_reply",
            "set_transports", "read_consents", "close_work_item"} - told("deed") == set()  # fmt: skip


def test_every_deed_that_the_code_writes_has_words():
    assert told("deed") - set(DEEDS) == set()


def test_every_kind_of_thing_that_the_code_writes_has_words():
    assert told("object_kind") - set(KINDS) == set()


def test_every_field_that_the_code_names_has_words():
    assert {"consents", "amount", "next_visit"} <= told("fields") <= set(FIELDS)


def test_the_personal_doors_are_those_of_the_list_above():
    doors = (found.value for module in modules() for found in ast.walk(module) if isinstance(found, ast.Assign))
    personal = set()
    for call in doors:
        given = {one.arg: one.value for one in call.keywords} if isinstance(call, ast.Call) else {}
        if "personal" in given:
            personal.add(f"read_{ast.literal_eval(given['name'])}")
    assert personal and personal <= set(MADE["read_{}"])


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_words_are_words_of_that_language(language):
    with override(language):
        every = {code: str(text) for code, text in {**DEEDS, **KINDS, **FIELDS}.items()}
        assert all(every.values())
        russian = {code for code, text in every.items() if any("а" <= sign <= "я" for sign in text.lower())}
        assert russian == (set(every) if language == "ru" else set())
        assert len(deed_options("")) == len(DEEDS) + 1


@pytest.mark.django_db
def test_who_has_no_account_is_named_in_words():
    for by in (SYSTEM, PATIENT, make.actor()):
        record(by=by, deed="take_reply", now=make.NOW)
    with override("ru"):
        names = [str(entry.who_said) for entry in said(AuditEntry.objects.order_by("id"))]
    assert names[:2] == ["система", "пациент сам"]
