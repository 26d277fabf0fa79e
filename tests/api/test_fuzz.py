"""Property-based fuzzing of the whole schema: whatever a client sends, right or wrong, there is never a 500, and the
answer is one that the schema promises.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from clinic_crm.wsgi import application
from tests.api.conftest import Api, key_of

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "3"))  # of each operation, role and mode; the seed is fixed

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def rows() -> Iterator[None]:
    """A little of everything, so that reads have something to find and references something to hit."""
    api = Api(key_of())
    times = {"start_at": "2026-02-03T10:00:00Z", "end_at": "2026-02-03T10:30:00Z"}
    api.bulk("branches", {"external_id": "0", "name": "Центр", "tz": "Europe/Moscow"})
    api.bulk("doctors", {"external_id": "0", "name": "Врач"})
    api.bulk("services", {"external_id": "0", "name": "Приём"})
    api.bulk("channels", {"external_id": "0", "name": "Реклама", "kind": "paid"})
    api.bulk("patients", {"external_id": "0", "last_name": "Иванова", "phones": ["+79123456789"]})
    visit = {"external_id": "0", "patient_id": "0", "doctor_id": "0", "booked_at": times["start_at"], **times}
    money = {"external_id": "0", "kind": "payment", "paid_at": times["end_at"], "amount": "5"}
    api.bulk("visits", visit | {"items": [{"service_id": "0"}], "payments": [money]})
    for signal in (request_started, request_finished):  # or they close the connection with the test's transaction
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("role", ["integration", "marketer"])
@pytest.mark.usefixtures("rows")
def test_nothing_that_a_client_sends_makes_a_500(role, mode):
    headers = {"Authorization": f"Api-Key {key_of(role)}"}
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", application, headers=headers)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 70
    for operation in operations:
        _try(operation, mode, headers)


def _try(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)

    try:
        one()
    except Unsatisfiable:  # an operation without input: there is nothing to get wrong
        if mode is GenerationMode.POSITIVE:
            raise
