"""The page of a branch says when its phone is answered."""

from __future__ import annotations

from datetime import time

import pytest

from tests import make

pytestmark = pytest.mark.django_db
NAMED = {"name": "Центр", "tz": "Europe/Moscow", "phone_region": "RU"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"opens_at": "09:00", "closes_at": "20:00", "work_days": "5123"}, (time(9), time(20), "1235")),
        ({}, (None, None, "1234567")),
    ],
)
def test_hours_are_kept_and_nothing_said_is_at_all_hours(client, given, kept):
    client.force_login(make.user("owner"))
    branch = make.branch()
    assert client.post(f"/staff/branches/{branch.pk}/", NAMED | given).status_code == 303
    branch.refresh_from_db()
    assert (branch.opens_at, branch.closes_at, branch.work_days) == kept


@pytest.mark.parametrize("given", [{"opens_at": "09:00"}, {"work_days": "8"}])
def test_half_of_the_hours_or_an_unknown_day_is_refused(client, given):
    client.force_login(make.user("owner"))
    branch = make.branch()
    assert client.post(f"/staff/branches/{branch.pk}/", NAMED | given).status_code == 422
