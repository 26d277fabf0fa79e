"""Rows and files behind the figures: every figure can be recounted from what is taken away."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal

import pytest
from python_calamine import CalamineWorkbook

from analytics.metrics import REGISTRY
from staff.models import AuditEntry
from tests import make
from tests.analytics.doors import AS_OF, NOW, PERIOD, csv_of

pytestmark = pytest.mark.django_db
ROWS = {
    "lost_patients": "year=2024",
    "churn_year": "year=2024",
    "repeat_rate": f"days=90&{PERIOD}",
    "ltv_by": "by=channel",
    "ltv_horizon": "months=12",
    "ltv_cac": f"months=12&{PERIOD}",
}


def test_every_tile_leads_to_rows_that_make_its_figure(enter, clinic90):
    client = enter()
    groups = client.get(f"/dashboard/?{AS_OF}&{PERIOD}").context["groups"]
    tiles = {tile.id: tile for group in groups for tile in group["tiles"]}
    for tile in tiles.values():
        assert client.get(tile.url).status_code == 200, tile.url
        assert tile.formula
    visits = csv_of(client.get(tiles["tile-visits"].url.replace("/rows/", "/rows.csv")))
    assert len(visits) - 1 == 98
    money = csv_of(client.get(tiles["tile-revenue"].url.replace("/rows/", "/rows.csv")))
    amount = money[0].index("amount")
    assert sum(Decimal(row[amount]) for row in money[1:]) == Decimal("318389.88")


@pytest.mark.parametrize("slug", [slug for slug in REGISTRY if slug != "patient_value"])
def test_rows_of_every_metric_can_be_read_and_taken_away(enter, clinic90, slug):
    client = enter()
    query = f"{AS_OF}&{ROWS.get(slug, PERIOD)}"
    assert client.get(f"/metrics/{slug}/rows/?{query}").status_code == 200
    first = csv_of(client.get(f"/metrics/{slug}/rows.csv?{query}"))
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"/metrics/{slug}/rows.xlsx?{query}").content))
    assert len(book.get_sheet_by_index(0).to_python()) == len(first)


def test_rows_go_on_from_page_to_page_without_a_gap(enter, clinic90):
    client = enter()
    url, seen = f"/metrics/average_check/rows/?{AS_OF}&{PERIOD}&kind=visit", []
    while url:
        response = client.get(url)
        seen += [tuple(cell.text for cell in row) for row in response.context["panel"].rows]
        url = response.context["next_url"] and f"/metrics/average_check/rows/{response.context['next_url']}"
    assert len(seen) == 98


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("year=2024&after=zzz", 404),
        ("year=nineteen", 422),
        ("", 422),
        ("year=2024&loss_kind=a';drop", 422),
        ("year=2024&loss_kind={D}", 422),
        ("year=2024&branch=nowhere", 422),
    ],
)
def test_a_crooked_address_of_rows_is_refused(enter, clinic90, query, status):
    assert enter().get(f"/metrics/churn_year/rows/?{AS_OF}&{query}").status_code == status


def test_an_unknown_metric_or_table_is_not_found(enter):
    client = enter()
    tables = ("dashboard/nothing.csv", "x/churn.csv", "dashboard/churn.pdf")
    for url in (
        "/metrics/nothing/rows/",
        "/metrics/nothing/rows.csv",
        "/metrics/rfm/rows.pdf",
        *(f"/tables/{t}" for t in tables),
    ):
        assert client.get(url).status_code == 404, url


def test_an_export_is_noted_with_its_number_of_rows(enter, clinic90):
    client = enter()
    rows = csv_of(client.get(f"/metrics/no_show/rows.csv?{AS_OF}&{PERIOD}"))
    entry = AuditEntry.objects.filter(deed="export_data").latest("id")
    assert entry.note == f"no_show csv, rows: {len(rows) - 1}"


def test_every_table_of_a_page_can_be_taken_away(enter, clinic90):
    client = enter()
    for page in ("dashboard", "value", "retention"):
        for panel in client.get(f"/{page}/?{AS_OF}").context["panels"]:
            rows = csv_of(client.get(f"/tables/{page}/{panel.slug}.csv?{AS_OF}"))
            assert rows[0] == [str(name) for name in panel.sheet.names]
            assert len(rows) - 1 == len(panel.sheet.rows) + bool(panel.sheet.foot)


def test_a_spreadsheet_runs_nothing_of_ours(enter):
    patient = make.patient(last_name="=cmd|' /C calc'!A0")
    make.visit(patient, start=NOW - timedelta(days=3))
    rows = csv_of(enter().get("/metrics/average_check/rows.csv?kind=visit&period=30d"))
    assert rows[1][0].startswith("'=cmd")
