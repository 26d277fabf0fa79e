from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")


@pytest.fixture
def committed(django_db_setup: Any, django_db_blocker: Any) -> Iterator[None]:
    """The test's writes are committed (threads and other processes see them), and undone after it."""
    from tests.committed import restored

    with django_db_blocker.unblock(), restored():
        yield
