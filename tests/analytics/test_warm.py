"""The dashboard is worked out before a manager opens it: without filters, and for each branch."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.core.cache import cache

from analytics import actions, tasks
from analytics.models import MetricAnswer
from staff.actions import ChangedRow, note_changes
from staff.models import Branch, Change
from tests import make
from tests.analytics.doors import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    """Two branches with a visit each; nothing that another transaction could still precede."""
    cache.clear()
    for name in ("A", "B"):
        patient = make.patient(branch=make.branch(name=name))
        make.visit(patient, start=NOW - timedelta(days=40))
    yield
    cache.clear()


def changed() -> None:
    visit = make.visit(make.patient(), start=NOW - timedelta(days=9))
    note_changes(resource="visits", rows=[ChangedRow(visit.pk)], now=NOW)
    Change.objects.filter(xact__gt=1).update(xact=1)  # settled, as if it had been committed


def test_a_warmed_dashboard_is_opened_without_working_anything_out(clinic, enter, monkeypatch):
    branches = list(Branch.objects.all())
    assert actions.warm(now=NOW) == 1 + len(branches)

    def never(lens):
        raise AssertionError("worked out")

    monkeypatch.setattr(import_module("analytics.views.dashboard"), "board", never)
    assert enter().get("/dashboard/").status_code == 200
    for branch in branches:
        assert enter().get(f"/dashboard/?branch={branch.external_id}").status_code == 200
        assert enter("manager", branch=branch).get("/dashboard/").status_code == 200


def test_what_is_kept_is_not_made_again_until_something_changes(clinic):
    first = actions.warm(now=NOW)
    cache.clear()
    assert actions.warm(now=NOW) == 0
    changed()
    assert actions.warm(now=NOW) >= first


def test_it_rests_after_its_work(clinic):
    assert actions.warm(now=NOW) > 0
    changed()
    assert actions.warm(now=NOW) == 0
    cache.clear()
    assert actions.warm(now=NOW) > 0


def test_the_task_warms(clinic):
    tasks.warm()
    assert MetricAnswer.objects.filter(slug="page:dashboard").count() >= 3
