"""Logs as one JSON object a line, with phones and e-mail addresses masked: nothing personal ever reaches a log."""

from __future__ import annotations

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")

EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+\.[^\s@<>\"']+")
CODE = re.compile(
    r"(/[a-z]{1,12}/)[0-9a-z]{1,12}-[\w-]{22}(?=/|\b)"
)  # of a link in a message: it is a right to do something
PHONE = re.compile(r"(?<![\w.-])\+?\d[\d\s()-]{8,}\d(?![\w.-])")


def scrubbed(text: str) -> str:
    """`text` without e-mail addresses, codes of signed links and anything shaped like a phone."""
    return PHONE.sub("[phone]", EMAIL.sub("[email]", CODE.sub(r"\1[code]", text)))


def is_refusal(record: logging.LogRecord) -> bool:
    """A suspicious request that Django turned away (foreign host, forged session …): no fault of ours to trace."""
    return record.name.startswith("django.security.") and bool(record.exc_info)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        refused = is_refusal(record)
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": "WARNING" if refused else record.levelname,
            "logger": record.name,
            # What a stranger wrote into the request (a host, a path) stays out of the log: it may name anybody.
            "message": "request refused" if refused else scrubbed(record.getMessage()),
            "request_id": request_id.get(),
        }
        if record.exc_info and not refused:
            entry["trace"] = scrubbed(self.formatException(record.exc_info))
        return json.dumps({key: value for key, value in entry.items() if value}, ensure_ascii=False)
