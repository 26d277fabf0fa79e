"""The schema, its readable pages, and that it says what the doors do."""

from __future__ import annotations

import pytest
import yaml
from django.core.management import call_command

from tests import make

pytestmark = pytest.mark.django_db
NAMES = (
    "patients",
    "visits",
    "payments",
    "services",
    "doctors",
    "branches",
    "channels",
    "spend",
    "shifts",
    "consents",
    "touchpoints",
)


def test_the_schema_is_openapi_3_1_without_a_warning(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))
    schema = yaml.safe_load((tmp_path / "schema.yaml").read_text())
    assert schema["openapi"].startswith("3.1")
    for name in NAMES:
        assert set(schema["paths"][f"/api/v1/{name}/"]) >= {"get", "post"}
        assert "post" in schema["paths"][f"/api/v1/{name}/bulk/"]
        assert set(schema["paths"][f"/api/v1/{name}/by-external/{{source}}/{{external_id}}/"]) >= {"get", "put"}
        assert set(schema["paths"][f"/api/v1/{name}/{{id}}/"]) >= {"get", "patch"}


def test_keys_and_staff_read_the_schema_and_its_pages_and_nobody_else(api, client):
    for url in ("schema/", "docs/"):
        assert client.get(f"/api/v1/{url}").status_code == 401
        assert api.get(url).status_code == 200
    assert api.get("schema/").headers["Content-Type"].startswith("application/json")
    assert "yaml" in api.get("schema/", Accept="application/yaml").headers["Content-Type"]
    client.force_login(make.user("doctor"), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200 and b"<script>" not in page.content
    policy = page.headers["Content-Security-Policy"]
    assert "'unsafe-inline'" in policy.partition("style-src")[2].partition(";")[0]
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert client.get("/api/v1/docs/?script=").status_code == 200
