from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.committed import restored


@pytest.fixture
def committed(django_db_setup: Any, django_db_blocker: Any) -> Iterator[None]:
    """The test's writes are committed, and undone after it."""
    with django_db_blocker.unblock(), restored():
        yield
