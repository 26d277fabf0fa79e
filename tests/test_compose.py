"""The compose file is checked against the published schema; what it promises is looked at. No engine is run."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def test_the_compose_file_follows_the_schema(compose: dict):
    schema = json.loads((ROOT / "tests/data/compose/compose_spec.json").read_text())
    document = {key: value for key, value in compose.items() if not key.startswith("x-") and key != "name"}
    jsonschema.validate(document, schema)


def test_there_is_one_beat_and_migrations_are_a_one_shot_job(compose: dict):
    services = compose["services"]
    assert services["beat"]["deploy"]["replicas"] == 1
    assert services["migrate"]["restart"] == "no"
    assert "-B" not in services["worker"]["command"]
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_every_secret_is_a_file_and_stands_in_no_environment(compose: dict):
    for service in compose["services"].values():
        for name, value in (service.get("environment") or {}).items():
            if any(word in name for word in ("SECRET", "PASSWORD", "DATABASE_URL", "EMAIL_URL")):
                assert name.endswith("_FILE")
                assert str(value).startswith("/run/secrets/")


def test_web_postgres_redis_and_worker_have_health_checks(compose: dict):
    assert all(compose["services"][name].get("healthcheck") for name in ("web", "postgres", "redis", "worker"))
