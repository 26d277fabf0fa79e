"""What the tests of pages of figures share: addresses, and reading what came back."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

NOW = datetime.now(UTC)
AS_OF = "as_of=2025-06-30"
PERIOD = "from=2024-01-01&to=2024-12-31"
PAGES = ("/dashboard/", "/value/", "/retention/", "/value/patients/", "/how-we-count/")


def body(response) -> str:
    raw = b"".join(response.streaming_content) if response.streaming else response.content
    return raw.decode("utf-8-sig")


def csv_of(response) -> list[list[str]]:
    assert response.status_code == 200
    return list(csv.reader(io.StringIO(body(response)), delimiter=";"))
