from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.clock import day_start, local_date
from staff.models import Shift
from tests import make

TZ = "Europe/Moscow"


@pytest.fixture
def sign_in(client, settings):
    settings.REQUIRE_TOTP = False

    def sign(role: str = "administrator", **fields):
        user = make.user(role, **fields)
        client.force_login(user)
        client.user = user
        return client

    return sign


@pytest.fixture
def noon():
    """Today at noon in the branch's zone, as an instant."""
    return day_start(local_date(datetime.now(UTC), TZ), TZ) + timedelta(hours=12)


@pytest.fixture
def doctor(db, noon):
    """On shift from nine to six today and the two days after."""
    made = make.doctor(branch=make.default_branch(), name="Павлов И. П.")
    for day in range(3):
        start = noon + timedelta(days=day)
        Shift.objects.create(doctor=made, start_at=start - timedelta(hours=3), end_at=start + timedelta(hours=6))
    return made
