"""Merging moves a pointer, undoing moves it back: whatever was merged, edited or recorded in between."""

from __future__ import annotations

from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from patients.actions import find_duplicates, merge_patients, undo_merge
from patients.actions.merge import CannotMerge, UnknownChoice
from patients.actions.unmerge import AlreadyUndone
from patients.models import DuplicatePair, Merge, Patient, Touchpoint
from patients.queries.duplicates import group_phones
from staff.models import AuditEntry, Change
from staff.queries.audit import verify_audit
from tests import make

NOW = make.NOW
BY = make.actor


def merge(survivor: Patient, loser: Patient, **chosen: object) -> Merge:
    return merge_patients(survivor=survivor, loser=loser, chosen=chosen, by=BY(), now=NOW)


def undo(made: Merge) -> list[dict]:
    return undo_merge(merge=made, by=BY(), now=NOW + timedelta(days=1))


def pointers() -> dict[int, tuple[int | None, int | None]]:
    return {pk: (to, end) for pk, to, end in Patient.objects.values_list("pk", "merged_into", "canonical")}


def rows() -> list[dict]:
    return list(Patient.objects.order_by("pk").values())


@pytest.mark.django_db
def test_the_loser_points_at_the_survivor_and_facts_stay_where_they_were():
    a, b = make.patient(phone="+79120000001"), make.patient(phone="+79120000002")
    visit = make.visit(b)
    merge(a, b)
    visit.refresh_from_db()
    assert pointers() == {a.pk: (None, None), b.pk: (a.pk, a.pk)}
    assert visit.patient_id == b.pk
    assert [phone.number for phone in group_phones(a.pk)] == ["+79120000001", "+79120000002"]


@pytest.mark.django_db
def test_chosen_fields_are_copied_and_found_by_the_search():
    a = make.patient(last_name="Иванова", email="", birth_date=None)
    b = make.patient(
        last_name="Петрова", email="p@example.com", email_raw="P@Example.com", birth_date=date(1985, 3, 12)
    )
    merge(a, b, last_name="Петрова", email="p@example.com", birth_date=date(1985, 3, 12), first_name="Иван")
    a.refresh_from_db()
    assert (a.last_name, a.email, a.email_raw, a.birth_date) == (
        "Петрова",
        "p@example.com",
        "P@Example.com",
        date(1985, 3, 12),
    )
    assert a.search.startswith("петрова ")
    made = Merge.objects.get()
    assert set(made.before) == {"last_name", "email", "email_raw", "birth_date"}


@pytest.mark.django_db
def test_a_value_that_neither_record_has_and_a_field_that_is_no_choice_are_refused():
    a, b = make.patient(), make.patient()
    for chosen in ({"last_name": "Чужой"}, {"is_test": True}, {"merged_into": None}, {"external_id": b.external_id}):
        with pytest.raises(UnknownChoice):
            merge(a, b, **chosen)
    assert Merge.objects.count() == 0


@pytest.mark.django_db
def test_undo_brings_every_row_back():
    a, b = make.patient(email="a@example.com"), make.patient(email="b@example.com", birth_date=date(1990, 1, 2))
    for row in (a, b):
        row.search = f"{row.last_name} иван".lower()
        row.save()
    before = rows()
    made = merge(a, b, email="b@example.com", birth_date=date(1990, 1, 2), last_name=b.last_name)
    assert rows() != before
    assert undo(made) == []
    after = rows()
    for row in (*before, *after):
        row.pop("search")
    assert after == before


@pytest.mark.django_db
def test_chains_merge_as_wholes_and_come_apart_as_wholes():
    a, b, c, d = (make.patient() for _n in range(4))
    merge(b, a)
    merge(d, c)
    both = merge(d, b)
    assert pointers() == {a.pk: (b.pk, d.pk), b.pk: (d.pk, d.pk), c.pk: (d.pk, d.pk), d.pk: (None, None)}
    undo(both)
    assert pointers() == {a.pk: (b.pk, b.pk), b.pk: (None, None), c.pk: (d.pk, d.pk), d.pk: (None, None)}


@pytest.mark.django_db
def test_a_merge_deep_in_a_chain_comes_apart_while_the_later_one_stays():
    a, b, c, d = (make.patient() for _n in range(4))
    merge(b, a)
    middle = merge(c, b)
    merge(d, c)
    undo(middle)
    assert pointers() == {a.pk: (b.pk, b.pk), b.pk: (None, None), c.pk: (d.pk, d.pk), d.pk: (None, None)}


@pytest.mark.django_db
def test_no_circle_and_no_second_merge_of_one_record():
    a, b, c = (make.patient() for _n in range(3))
    merge(a, b)
    for survivor, loser in ((b, a), (c, b), (b, c), (a, b), (a, a)):
        with pytest.raises(CannotMerge):
            merge(survivor, loser)


@pytest.mark.django_db
def test_what_came_after_the_merge_is_kept_and_listed():
    a, b = make.patient(email="a@example.com"), make.patient(email="b@example.com")
    make.visit(a)
    made = merge(a, b, email="b@example.com", last_name=b.last_name)
    visit = make.visit(a, start=NOW + timedelta(hours=3))
    Touchpoint.objects.create(patient=a, at=NOW, kind="message")
    later = make.payment(b, 5000)
    Patient.objects.filter(pk=a.pk).update(email="new@example.com")
    found = undo(made)
    assert {
        "kind": "field",
        "field": "email",
        "before": "a@example.com",
        "chosen": "b@example.com",
        "now": "new@example.com",
    } in found
    assert {"kind": "facts", "of": "visits", "count": 1, "ids": [visit.pk]} in found
    assert {"touchpoints"} == {row["of"] for row in found if row["kind"] == "facts"} - {"visits"}
    a.refresh_from_db(), later.refresh_from_db(), visit.refresh_from_db()
    assert (a.email, later.patient_id, visit.patient_id) == ("new@example.com", b.pk, a.pk)
    made.refresh_from_db()
    assert made.conflicts == found


@pytest.mark.django_db
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_merges_that_chose_the_same_field_come_apart_in_any_order(order: tuple[int, int]):
    a, b, c = (make.patient(email=f"{name}@example.com") for name in "abc")
    made = [merge(a, b, email="b@example.com"), merge(a, c, email="c@example.com")]
    for n in order:
        made[n].refresh_from_db()
        assert undo(made[n]) == []
    a.refresh_from_db()
    assert a.email == "a@example.com"


@pytest.mark.django_db
def test_nothing_is_undone_twice():
    a, b = make.patient(), make.patient()
    made = merge(a, b)
    undo(made)
    with pytest.raises(AlreadyUndone):
        undo(made)
    again = merge(a, b)
    with pytest.raises(AlreadyUndone):
        undo(made)
    undo(again)


@pytest.mark.django_db
def test_feed_and_audit_tell_of_merge_and_split():
    a, b, c = make.patient(), make.patient(), make.patient()
    merge(b, c)
    Change.objects.all().delete()
    made = merge(a, b, last_name=b.last_name)
    lines = [(row.kind, row.object_id, row.target_id) for row in Change.objects.order_by("id")]
    assert lines == [("merged", b.pk, a.pk), ("merged", c.pk, a.pk), ("changed", a.pk, None)]
    Change.objects.all().delete()
    undo(made)
    assert [(row.kind, row.object_id) for row in Change.objects.order_by("id")] == [
        ("split", b.pk), ("split", c.pk), ("changed", a.pk)
    ]  # fmt: skip
    assert [entry.deed for entry in AuditEntry.objects.order_by("id")] == ["merge_patients"] * 2 + ["undo_merge"]
    assert verify_audit().problem == ""


@pytest.mark.django_db
def test_a_merged_pair_leaves_the_list_and_an_undone_one_never_comes_back():
    born = date(1985, 3, 12)
    a, b = (
        make.patient(last_name="Котова", first_name="Анна", birth_date=born, search="котова анна") for _n in range(2)
    )
    find_duplicates(now=NOW)
    assert DuplicatePair.objects.get().status == "open"
    made = merge(a, b)
    find_duplicates(now=NOW)
    assert DuplicatePair.objects.get().status == "merged"
    undo(made)
    find_duplicates(now=NOW)
    assert DuplicatePair.objects.get().status == "dismissed"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite queues its writers")
@pytest.mark.usefixtures("committed")
def test_of_two_merges_across_each_other_one_wins():
    for _round in range(5):
        a, b = make.patient(), make.patient()
        together, answers = Barrier(2), []

        def work(survivor: Patient, loser: Patient, together: Barrier = together, answers: list = answers) -> None:
            together.wait()
            try:
                merge(survivor, loser)
                answers.append("merged")
            except CannotMerge:
                answers.append("refused")
            finally:
                connection.close()

        threads = [Thread(target=work, args=pair) for pair in ((a, b), (b, a))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == ["merged", "refused"]
