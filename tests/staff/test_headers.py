"""Headers that protect the browser stand on every answer, files of /static/ included."""

from __future__ import annotations

import pytest
from django.conf import settings as configured
from django.test import Client


def sure(answer) -> None:
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/static/css/tokens.css", "/static/js/app.js", "/static/img/logo.svg"])
def test_static_files_carry_the_policy_as_the_demo_serves_them(path: str):
    assert configured.WHITENOISE_USE_FINDERS  # the demo runs without collectstatic
    answer = Client().get(path)
    assert answer.status_code == 200
    sure(answer)
    sure(Client().get(path, headers={"If-None-Match": "x", "If-Modified-Since": "Wed, 01 Jan 2098 00:00:00 GMT"}))


def test_collected_static_files_carry_it_too(settings, tmp_path):
    (tmp_path / "collected.js").write_text("1")
    settings.STATIC_ROOT, settings.WHITENOISE_USE_FINDERS = tmp_path, False
    answer = Client().get("/static/collected.js")
    assert answer.status_code == 200
    sure(answer)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login/", "/no-such-page/", "/api/v1/patients/", "/static/no-such-file.js"])
def test_pages_and_errors_carry_it(path: str):
    sure(Client().get(path))
