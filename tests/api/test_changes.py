from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, connections, transaction

from patients import actions
from patients.models import Patient
from staff.access import SYSTEM
from staff.models import Change, Source
from staff.queries.changes import settled_changes
from tests import make
from tests.api.conftest import Api, key_of

pytestmark = pytest.mark.usefixtures("committed")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def read_all(api, cursor: str | None = None) -> tuple[list[dict], str | None]:
    found: list[dict] = []
    url = "changes/?page_size=7" + (f"&cursor={cursor}" if cursor else "")
    while url:
        page = api.get(url).json()
        found += page["results"]
        cursor, url = page["next_cursor"], page["next"] and page["next"].partition("/api/v1/")[2]
    return found, cursor


def test_a_reader_follows_creations_changes_merges_and_deletions():
    api = Api(key_of())
    api.bulk("patients", *({"external_id": f"P{n}"} for n in range(10)))
    lines, cursor = read_all(api)
    assert [line["external_id"] for line in lines if line["resource"] == "patients"] == [f"P{n}" for n in range(10)]
    assert read_all(api, cursor) == ([], cursor)
    api.bulk("patients", {"external_id": "P1", "merged_into": "P2"}, {"external_id": "P3"})
    lines, cursor = read_all(api, cursor)
    assert [(line["external_id"], line["kind"]) for line in lines] == [("P1", "changed"), ("P1", "merged")]
    assert lines[1]["target"] == Patient.objects.get(external_id="P2").pk
    assert api.get("changes/?cursor=MQ").status_code == 400 and api.get("changes/?since=1").status_code == 400


def test_a_key_bound_to_a_branch_follows_only_its_own():
    api = Api(key_of())
    make.default_branch()
    branch = make.branch(external_id="B2", source=Source.objects.get_or_create(code="mis")[0])
    api.bulk("patients", {"external_id": "P1"}, {"external_id": "P2", "branch_id": "B2"})
    api.bulk("channels", {"external_id": "C1", "name": "x", "kind": "paid"})
    money = {"kind": "payment", "paid_at": "2026-02-01T10:00:00Z", "amount": "5"}
    api.bulk(
        "payments",
        {"external_id": "Y1", "patient_id": "P1", **money},
        {"external_id": "Y2", "patient_id": "P2", **money},
    )
    lines, _cursor = read_all(Api(key_of(branch=branch)))
    assert {line["external_id"] for line in lines} == {"P2", "C1", "Y2"}


def test_eight_writers_and_one_slow_transaction_and_the_reader_misses_nothing():
    """The slow one takes early ids and commits last."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's writers queue")
    source = Source.objects.create(code="mis")
    actions.record_patients(source=source, rows=[{"external_id": "first"}], by=SYSTEM, now=NOW)
    started, written = threading.Event(), []
    threads = [threading.Thread(target=_write, args=(source, n, started, written)) for n in range(8)]
    slow = threading.Thread(target=_slow, args=(source, started, threads))
    seen, after = [], ()
    for thread in [*threads, slow]:  # the slow one waits for those that are there
        thread.start()
    while slow.is_alive() or any(thread.is_alive() for thread in threads):
        after = _read(after, seen)
    _read(after, seen)
    expected = {f"{n}-{k}" for n in range(8) for k in range(5)} | {"slow-0", "slow-1", "first"}
    assert {code for _pk, code in seen} == expected and len(seen) == len(set(seen))


def _read(after, seen):
    for line in settled_changes(after)[:50]:
        seen.append((line.pk, line.external_id))
        after = (line.xact, line.pk)
    return after


def _write(source, number, started, written):
    started.wait(10)
    try:
        for k in range(5):
            row = {"external_id": f"{number}-{k}", "last_name": "x"}
            actions.record_patients(source=source, rows=[row], by=SYSTEM, now=NOW)
            written.append(row)
    finally:
        connections.close_all()


def _slow(source, started, threads):
    """Notes its lines first and commits when the others have come as far as they can."""
    from staff.actions.intake import note_lines

    try:
        with transaction.atomic():
            line = ("patients", 1, None, "mis", "slow-0", "changed", None)
            note_lines([line, ("patients", 2, None, "mis", "slow-1", "changed", None)], NOW)
            started.set()
            for thread in threads:
                thread.join(10)
    finally:
        connections.close_all()


def test_lines_of_a_running_transaction_hold_back_what_came_after():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's writers queue")
    source = Source.objects.create(code="mis")
    started, release = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_current_xact_id()")
                started.set()
                release.wait(10)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    started.wait(10)
    actions.record_patients(source=source, rows=[{"external_id": "P1"}], by=SYSTEM, now=NOW)
    assert Change.objects.count() == 1 and not settled_changes().exists()
    release.set()
    thread.join()
    assert settled_changes().count() == 1


def test_a_long_transaction_of_another_database_holds_nothing_back():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no neighbours")
    import psycopg2

    here = connection.settings_dict
    place = {"host": here["HOST"], "port": here["PORT"], "user": here["USER"], "password": here["PASSWORD"] or None}
    neighbour = psycopg2.connect(dbname="postgres", **place)
    try:
        neighbour.cursor().execute("SELECT pg_current_xact_id()")
        source = Source.objects.create(code="mis")
        actions.record_patients(source=source, rows=[{"external_id": "P1"}], by=SYSTEM, now=NOW)
        assert settled_changes().count() == Change.objects.count() == 1
    finally:
        neighbour.close()
