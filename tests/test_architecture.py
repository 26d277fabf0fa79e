"""Contracts of the house that a machine can check."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from statistics import mean

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = [
    "clinic_crm", "core", "staff", "patients", "messaging", "funnel", "loyalty", "analytics", "followup", "reception",
    "mis", "demo",
]  # fmt: skip
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# What a strict CSP blocks, some of it silently (htmx filters and js: values just never run).
FORBIDDEN = {
    "inline style": re.compile(r"\sstyle\s*="),
    "inline handler": re.compile(r"\son[a-z]+\s*=\s*[\"']"),
    "hx-on": re.compile(r"hx-on"),
    "js: value": re.compile(r"[\"']js:"),
    "htmx filter": re.compile(r"hx-trigger=\"[^\"]*\["),
    "inline script": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>"),
    "unescaped": re.compile(r"\|\s*safe\b"),
    "foreign resource": re.compile(r"(?:src|href)=\"https?://"),
}


def python_files() -> list[Path]:
    return [f for app in APPS for f in sorted((ROOT / app).rglob("*.py")) if "migrations" not in f.parts]


def test_no_file_is_over_300_lines():
    long = {str(f.relative_to(ROOT)): n for f in python_files() if (n := len(f.read_text().splitlines())) > 300}
    assert not long


def test_functions_are_short_on_average():
    lengths = [
        node.end_lineno - node.lineno + 1
        for file in python_files()
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert mean(lengths) < 14


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda f: str(f.relative_to(ROOT / "templates")))
def test_a_template_keeps_the_content_security_policy(file: Path):
    text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", file.read_text(encoding="utf-8"), flags=re.S)
    broken = [name for name, pattern in FORBIDDEN.items() if pattern.search(text)]
    assert not broken, broken


def test_a_component_states_its_inputs_first():
    silent = [
        str(f.relative_to(ROOT))
        for f in TEMPLATES
        if "components" in f.parts and not re.match(r"\s*({#|{% comment)", f.read_text(encoding="utf-8"))
    ]
    assert not silent


def test_every_setting_of_the_environment_stands_in_the_example():
    settings = (ROOT / "clinic_crm/settings.py").read_text()
    read = set(re.findall(r"(?:env\.\w+|secret)\(\s*\"([A-Z_]+)\"", settings))
    listed = set(re.findall(r"^#?\s?([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.M))
    assert read == listed


def test_nothing_but_a_door_reads_the_clock():
    doors = {"views", "api", "tasks", "management", "middleware", "authentication", "context", "run", "logs"}
    clock = re.compile(r"timezone\.now\(\)|datetime\.now\(|date\.today\(\)|default=timezone\.now")
    guilty = [
        str(f.relative_to(ROOT))
        for f in python_files()
        if clock.search(f.read_text()) and not doors & {part.removesuffix(".py") for part in f.relative_to(ROOT).parts}
    ]
    assert guilty == []
