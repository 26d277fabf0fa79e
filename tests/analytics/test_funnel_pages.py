"""Funnel, sources, load, what-if: they open, they add up, and every number opens its very rows."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from django.urls import reverse

from analytics.metrics import compute
from analytics.metrics.params import scope_of
from analytics.queries.conversion import income
from funnel.actions.incoming import Enquiry, take_lead
from patients.metrics import Period
from patients.models import Visit
from staff.models import Shift
from tests import make
from tests.load import load_folder
from tests.make import NOW

pytestmark = pytest.mark.django_db
FOLDER = Path(__file__).parent.parent / "data" / "clinic90"
PAGES = ("funnel", "channels", "load", "what_if")
SPAN = {"from": "2024-01-01", "to": "2024-12-31", "as_of": "2025-12-31"}


@pytest.fixture
def desk(client):
    client.force_login(make.user("owner"))
    return client


@pytest.fixture
def clinic90():
    load_folder(FOLDER)


def opened(client, page, **params):
    answer = client.get(reverse(f"analytics:{page}"), params)
    assert answer.status_code == 200
    return answer


def count_of_rows(client, url):
    """Rows behind an address, page after page."""
    total = 0
    while url:
        text = client.get(url).content.decode()
        total += len(re.findall(r'<tr><th scope="row">', text))
        ahead = re.search(r'href="([^"]*after=[^"]*)"[^>]*rel="next"', text) or re.search(
            r'rel="next"[^>]*href="([^"]+)"', text
        )
        path = url.partition("?")[0]
        url = path + unescape(ahead.group(1)) if ahead else ""
    return total


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_on_an_empty_clinic(desk, name):
    make.default_branch()
    opened(desk, name)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_on_a_full_one(desk, clinic90, name):
    opened(desk, name, **SPAN)


@pytest.mark.parametrize("audience", ["new", "existing", "all"])
def test_every_step_of_the_funnel_opens_exactly_its_people(desk, clinic90, audience):
    answer = opened(desk, "funnel", audience=audience, **SPAN)
    panel = next(panel for panel in answer.context["panels"] if panel.slug == "leads")
    counts = panel.sheet.column(1)
    assert counts[0] > 0
    assert counts == sorted(counts, reverse=True)
    before = None
    for stage, count in zip(panel.chart.stages, counts, strict=True):
        assert count_of_rows(desk, stage.url) == count
        if before is not None:
            assert count_of_rows(desk, stage.lost_url) == before - count
        before = count


def test_every_event_of_the_flow_opens_its_rows(desk, clinic90):
    panel = next(p for p in opened(desk, "funnel", **SPAN).context["panels"] if p.slug == "flow")
    linked = [(row, url) for row, url in zip(panel.sheet.rows, panel.sheet.urls, strict=True) if url]
    assert len(linked) == 5, "who paid is counted among the visits, and has no address of its own"
    for row, url in linked:
        assert count_of_rows(desk, url) == row[1]


def test_a_visit_takes_as_long_as_those_of_the_period(clinic90):
    span = Period(date(2024, 1, 1), date(2024, 12, 31))
    found = income(scope_of({"as_of": date(2025, 12, 31)}, NOW), span)
    visits = Visit.objects.filter(status="completed", day__range=(span.first, span.last), patient__is_test=False)
    assert found.visits == len(visits) > 0
    assert found.seconds == sum((visit.end_at - visit.start_at).total_seconds() for visit in visits)


def test_losses_open_their_leads_and_add_up(desk, clinic90):
    answer = opened(desk, "funnel", **SPAN)
    panel = next(panel for panel in answer.context["panels"] if panel.slug == "losses")
    total = compute("losses", {"from": SPAN["from"], "to": SPAN["to"], "as_of": SPAN["as_of"]}, NOW)["total"]
    assert sum(panel.sheet.column(2)) == total > 0
    for row, url in zip(panel.sheet.rows, panel.sheet.urls, strict=True):
        assert count_of_rows(desk, url) == row[2]


def test_sources_are_the_metrics_to_the_kopeck(desk, clinic90):
    answer = opened(desk, "channels", **SPAN)
    cost, back = answer.context["panels"]
    whole = compute("cost_per", {"from": SPAN["from"], "to": SPAN["to"], "as_of": SPAN["as_of"]}, NOW)["all"]
    assert cost.sheet.foot[1] == sum(row[1] for row in cost.sheet.rows) == int(whole["spend"].replace(".", ""))
    assert cost.sheet.foot[2] == sum(row[2] for row in cost.sheet.rows) == whole["leads"]
    assert back.sheet.foot[1] == sum(row[1] for row in back.sheet.rows)


def test_a_lead_without_a_source_has_a_row_where_nothing_else_has_one(desk):
    make.default_branch()
    make.channel()
    take_lead(enquiry=Enquiry("walk_in", NOW), by=make.actor(), now=NOW)
    cost, back = opened(desk, "channels", **{"from": "2026-01-01", "to": "2026-12-31", "as_of": "2026-12-31"}).context[
        "panels"
    ]
    assert [row[2] for row in cost.sheet.rows] == [0, 1]
    assert len(back.sheet.rows) == 1


def test_sliders_at_a_hundred_change_nothing_and_more_is_more(desk, clinic90):
    names = ("spend", "leads", "booked", "came", "paid", "value", "repeat")
    still = opened(desk, "what_if", **SPAN, **dict.fromkeys(names, "100")).context["rows"]
    assert all(row["now"] == row["then"] for row in still)
    more = opened(desk, "what_if", **SPAN, **(dict.fromkeys(names, "100") | {"booked": "110"})).context["rows"]
    assert more[2]["now"] != more[2]["then"]
    bad = desk.get(reverse("analytics:what_if"), {**SPAN, **(dict.fromkeys(names, "100") | {"booked": "abc"})})
    assert bad.status_code == 422


def test_idle_hours_are_shifts_less_bookings(desk, django_assert_max_num_queries):
    hour = datetime.now(tz=UTC).replace(minute=0, second=0, microsecond=0)
    branch, start = make.default_branch(), hour + timedelta(days=2)
    for _ in range(3):
        doctor = make.doctor(branch=branch)
        for shift in (0, 2):  # overlapping shifts count once
            Shift.objects.create(
                doctor=doctor,
                branch=branch,
                start_at=start + timedelta(hours=shift),
                end_at=start + timedelta(hours=4 + shift),
            )
        make.visit(
            make.patient(branch=branch), doctor=doctor, start=start, minutes=90, status="scheduled", branch=branch
        )
    cancelled = make.visit(
        make.patient(branch=branch), doctor=doctor, start=start + timedelta(hours=4), status="scheduled"
    )
    Visit.objects.filter(pk=cancelled.pk).update(status="cancelled_patient", cancelled_at=hour)
    with django_assert_max_num_queries(40):
        answer = opened(desk, "load")
    idle = next(panel for panel in answer.context["panels"] if panel.slug == "idle")
    assert [row[1:3] for row in idle.sheet.rows] == [[6, 4.5]] * 3
