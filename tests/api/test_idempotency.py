from __future__ import annotations

from datetime import timedelta

import pytest

from patients.models import Patient
from staff.actions.idempotency import forget_old_keys
from staff.models import IdempotencyRecord

pytestmark = pytest.mark.django_db


def post(api, body, key="k-1", path="patients/"):
    return api.post(path, body, **{"Idempotency-Key": key})


def test_the_same_request_again_gets_the_first_answer_and_makes_nothing(api):
    body = {"last_name": "Иванова"}
    first, second = post(api, body), post(api, body)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json() and first.headers["Location"] == second.headers["Location"]
    assert second.headers["Idempotency-Replayed"] == "true" and Patient.objects.count() == 1
    assert post(api, body, key="k-2").json()["id"] != first.json()["id"]


def test_bulk_and_refusals_are_replayed_too(api):
    body = {"source": "mis", "rows": [{"external_id": "P1"}]}
    first, second = (post(api, body, path="patients/bulk/") for _ in range(2))
    assert first.json() == second.json() and second.json()["created"] == 1
    bad = {"sex": "?"}
    first, second = (post(api, bad, key="k-3") for _ in range(2))
    assert first.status_code == second.status_code == 422 and first.content == second.content


def test_another_request_under_the_key_is_refused(api, keys):
    post(api, {"last_name": "А"})
    other = post(api, {"last_name": "Б"})
    assert other.status_code == 422 and Patient.objects.count() == 1
    assert post(api, {"last_name": "А"}, path="patients/bulk/").status_code == 422
    assert post(keys(), {"last_name": "Б"}).status_code == 201  # another client's keys are his own


def test_a_repetition_while_the_first_runs_waits_its_turn(api):
    post(api, {"last_name": "А"})
    IdempotencyRecord.objects.update(status=None, created_at=_now())
    assert post(api, {"last_name": "А"}).status_code == 409
    IdempotencyRecord.objects.update(created_at=_now() - timedelta(minutes=11))
    assert post(api, {"last_name": "А"}).status_code == 201  # the process that held it is dead


def _now():
    from django.utils import timezone

    return timezone.now()


def test_answers_are_kept_for_two_days(api):
    post(api, {"last_name": "А"})
    assert forget_old_keys(now=_now() + timedelta(hours=25)) == 0
    assert forget_old_keys(now=_now() + timedelta(hours=49)) == 1


@pytest.mark.parametrize("key", ["x" * 121, "a\x01b"])
def test_a_key_that_is_no_key_is_refused(api, key):
    assert post(api, {"last_name": "А"}, key=key).status_code == 400
