"""The clinic whose figures were worked out twice, independently, before this product existed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analytics.metrics import REGISTRY, compute
from tests.load import load_folder

FOLDER = Path(__file__).parent.parent / "data" / "clinic90"
REQUESTS = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))["requests"]
pytestmark = pytest.mark.django_db
OURS = [request for request in REQUESTS if request["metric"] in REGISTRY]


@pytest.fixture(scope="module")
def clinic90(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        from django.db import transaction

        with transaction.atomic():
            load_folder(FOLDER)
            yield
            transaction.set_rollback(True)


def same(ours: object, expected: object, key: str = "") -> bool:
    if isinstance(expected, dict):
        return (
            isinstance(ours, dict)
            and ours.keys() == expected.keys()
            and all(same(ours[k], expected[k], k) for k in expected)
        )
    if key.endswith("_f") and expected is not None:
        return ours == pytest.approx(expected, rel=1e-9)
    return ours == expected


@pytest.mark.parametrize("request_", OURS, ids=lambda r: f"{r['metric']}-{'-'.join(map(str, r['params'].values()))}")
def test_every_figure_of_clinic90_is_the_expected_one(clinic90, request_):
    result = compute(request_["metric"], request_["params"], datetime(2026, 1, 1, tzinfo=UTC))
    assert same(result, request_["result"]), (result, request_["result"])
