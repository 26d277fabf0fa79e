from __future__ import annotations

from pathlib import Path

import pytest

from tests import make
from tests.analytics.test_clinic90 import FOLDER
from tests.load import load_folder


@pytest.fixture
def clinic90():
    load_folder(Path(FOLDER))


@pytest.fixture
def enter(client, settings):
    settings.REQUIRE_TOTP = False

    def entered(role: str = "owner", language: str = "en", **fields):
        client.force_login(make.user(role, **fields), backend="django.contrib.auth.backends.ModelBackend")
        client.cookies["language"] = language
        return client

    return entered
