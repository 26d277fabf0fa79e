"""Logs as one JSON object a line, with phones and e-mail addresses masked: nothing personal ever reaches a log."""

from __future__ import annotations

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")

EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+\.[^\s@<>\"']+")
PHONE = re.compile(r"(?<![\w.-])\+?\d[\d\s()-]{8,}\d(?![\w.-])")


def scrubbed(text: str) -> str:
    """`text` without e-mail addresses and anything shaped like a phone."""
    return PHONE.sub("[phone]", EMAIL.sub("[email]", text))


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": scrubbed(record.getMessage()),
            "request_id": request_id.get(),
        }
        if record.exc_info:
            entry["trace"] = scrubbed(self.formatException(record.exc_info))
        return json.dumps({key: value for key, value in entry.items() if value}, ensure_ascii=False)
