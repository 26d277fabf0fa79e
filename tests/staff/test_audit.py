"""The audit log cannot be edited, thinned or cut off without `verify_audit` naming the row."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from staff import actions
from staff.models import AuditEntry, AuditHead
from staff.queries.audit import verify_audit
from tests import make
from tests.staff.audit_race import race

NOW = make.NOW


def fill(count: int = 6) -> None:
    for n in range(count):
        actions.record(by=make.actor(), deed="see_card", now=NOW, patient_id=n, fields=["phones", "email"])


def tamper(*statements: str) -> None:
    """As an administrator of the database would: triggers off, then the deed."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE staff_auditentry DISABLE TRIGGER USER")
        else:
            cursor.execute("DROP TRIGGER IF EXISTS staff_audit_no_update")
            cursor.execute("DROP TRIGGER IF EXISTS staff_audit_no_delete")
        for statement in statements:
            cursor.execute(statement)


def broken() -> str:
    with pytest.raises(CommandError) as raised:
        call_command("verify_audit", stdout=io.StringIO())
    assert raised.value.returncode == 1
    return str(raised.value)


@pytest.mark.django_db
def test_a_whole_log_answers_its_count():
    fill(6)
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    assert out.getvalue().strip() == "6"


@pytest.mark.django_db
def test_an_empty_log_is_whole():
    assert (verify_audit().count, verify_audit().problem) == (0, "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("deed", "row"),
    [
        ("UPDATE staff_auditentry SET actor_name = 'nobody' WHERE id = 3", 3),
        ("UPDATE staff_auditentry SET patient_id = NULL WHERE id = 4", 4),
        ("UPDATE staff_auditentry SET at = '2020-01-01 00:00:00+00:00' WHERE id = 2", 2),
        ("DELETE FROM staff_auditentry WHERE id = 3", 3),
        ("DELETE FROM staff_auditentry WHERE id = 1", 1),
        ("DELETE FROM staff_auditentry WHERE id = 6", 6),
        ("DELETE FROM staff_auditentry WHERE id > 3", 4),
        ("DELETE FROM staff_auditentry", 1),
    ],
)
def test_the_first_broken_row_is_named(deed: str, row: int):
    fill(6)
    tamper(deed)
    assert f" {row} " in f"{broken()} ".replace(":", " ")


@pytest.mark.django_db
def test_a_tail_cut_off_together_with_a_forged_head_shows():
    fill(6)
    last = AuditEntry.objects.get(id=5)
    tamper(
        "DELETE FROM staff_auditentry WHERE id = 6",
        f"UPDATE staff_audithead SET last_id = 5, count = 5, hash = '{last.hash}' WHERE id = 1",
    )
    assert "head" in broken() or "голов" in broken() or verify_audit().problem


@pytest.mark.django_db
def test_a_missing_head_shows():
    fill(2)
    AuditHead.objects.all().delete()
    assert verify_audit().problem


@pytest.mark.django_db
def test_a_row_put_in_by_hand_shows():
    fill(3)
    tamper(
        "INSERT INTO staff_auditentry (id, at, actor_kind, actor_name, deed, object_kind, fields, note, address,"
        " request_id, hash) VALUES (4, '2026-01-01 00:00:00+00:00', 'user', 'x', 'see_card', '', '[]', '', '', '', 'f')"
    )
    assert "4" in broken()


@pytest.mark.django_db
@pytest.mark.parametrize("deed", ["UPDATE staff_auditentry SET note = 'x'", "DELETE FROM staff_auditentry"])
def test_the_database_itself_refuses_to_change_the_log(deed: str):
    fill(1)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(deed)


@pytest.mark.django_db
def test_entries_written_under_an_earlier_secret_key_still_hold(settings):
    fill(3)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" + "1" * 50
    assert verify_audit().problem == ""
    fill(2)
    assert (verify_audit().count, verify_audit().problem) == (5, "")
    settings.SECRET_KEY_FALLBACKS = []
    assert " 1 " in verify_audit().problem


@pytest.mark.django_db
def test_an_action_may_record_twice_and_actions_made_of_actions_record_together():
    with transaction.atomic():
        fill(2)
    with actions.one_deed():
        fill(1)
        with actions.one_deed():
            fill(2)
        assert AuditEntry.objects.count() == 2  # the head is not locked before the end
    assert (verify_audit().count, verify_audit().problem) == (5, "")


@pytest.mark.django_db
def test_a_composed_action_that_fails_leaves_no_entry():
    with pytest.raises(ZeroDivisionError), actions.one_deed():
        fill(1)
        raise ZeroDivisionError
    assert AuditEntry.objects.count() == 0
    fill(1)
    assert verify_audit().problem == ""


@pytest.mark.django_db
def test_verification_streams(django_assert_max_num_queries):
    fill(30)
    with django_assert_max_num_queries(3):
        assert verify_audit().count == 30


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has its own below")
@pytest.mark.usefixtures("committed")
def test_eight_writers_at_once_leave_one_whole_chain():
    assert race(8, 10) == []
    assert (verify_audit().count, verify_audit().problem) == (8 * 10 * 3, "")


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has its own above")
def test_four_writers_at_once_leave_one_whole_chain_on_sqlite(tmp_path):
    connection.cursor().execute("COMMIT")
    with sqlite3.connect(tmp_path / "race.sqlite3") as copy:
        connection.connection.backup(copy)
    copy.close()
    connection.cursor().execute("BEGIN")
    env = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'race.sqlite3'}", "SECRET_KEY": "r" * 50}
    command = [sys.executable, "-m", "tests.staff.audit_race", "4", "10"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["120"], done.stdout + done.stderr
