"""A log line is one JSON object, and nothing personal stands in it."""

from __future__ import annotations

import io
import json
import logging

import pytest
from django.test import Client

from core.logs import JsonFormatter, scrubbed


@pytest.fixture
def log():
    """What the product would print, as a list of entries."""
    stream, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)


@pytest.mark.django_db
def test_a_foreign_host_is_one_quiet_line_without_its_text(log, settings):
    settings.ALLOWED_HOSTS = ["clinic.example"]
    assert Client(SERVER_NAME="ivanov-79123456789.evil.example").get("/login/").status_code == 400
    (entry,) = log()
    assert entry["message"] == "request refused"
    assert (entry["level"], entry["logger"]) == ("WARNING", "django.security.DisallowedHost")
    assert "trace" not in entry
    assert "ivanov" not in json.dumps(entry)


def test_a_fault_of_ours_keeps_its_trace_with_phones_masked(log):
    try:
        raise RuntimeError("no patient +7 912 345-67-89")
    except RuntimeError:
        logging.getLogger("django.request").exception("unforeseen")
    (entry,) = log()
    assert "RuntimeError" in entry["trace"]
    assert "912" not in entry["trace"]


def test_every_line_is_printed_once():
    assert logging.getLogger("django").handlers == []


def test_the_code_of_a_signed_link_stays_out_of_the_log():
    code = "1z-mG-Fi6wXlntkLQd7HX4085"
    assert scrubbed(f"Internal Server Error: /u/{code}/") == "Internal Server Error: /u/[code]/"
