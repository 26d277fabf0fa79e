"""The score finds one person entered twice, and keeps apart those who only look like it."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from itertools import product

import pytest

from patients.actions import dismiss_pair, find_duplicates
from patients.models import DuplicatePair, Patient
from patients.queries.duplicates import possible_duplicates
from patients.queries.worklist import open_pairs
from patients.rules.duplicates import THRESHOLD, Person, score
from tests import duplicate_pairs, make

NOW = make.NOW


def labelled() -> list[tuple[bool, str, Person, Person]]:
    with duplicate_pairs.FILE.open(encoding="utf-8", newline="") as file:
        return [(row["same"] == "1", row["kind"], person(row, "a_"), person(row, "b_")) for row in csv.DictReader(file)]


def person(row: dict[str, str], side: str) -> Person:
    values = {name: row[side + name] for name in duplicate_pairs.FIELDS}
    born = values.pop("birth_date")
    phones = frozenset(filter(None, values.pop("phones").split(";")))
    return Person(**values, birth_date=date.fromisoformat(born) if born else None, phones=phones)


def test_the_labelled_file_is_what_its_script_makes():
    with duplicate_pairs.FILE.open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == duplicate_pairs.pairs()
    assert len(labelled()) == 500


def test_precision_and_recall_on_the_labelled_pairs(capsys):
    answers, misses = Counter(), Counter()
    for same, kind, one, other in labelled():
        found = score(one, other).points >= THRESHOLD
        answers[same, found] += 1
        misses[kind] += found != same
    precision = answers[True, True] / (answers[True, True] + answers[False, True])
    recall = answers[True, True] / (answers[True, True] + answers[True, False])
    with capsys.disabled():
        print(f"\nduplicates: precision {precision:.3f}, recall {recall:.3f}; wrong by kind: {dict(+misses)}")
    assert precision >= 0.97
    assert recall >= 0.9


def test_the_score_is_symmetric_and_between_0_and_100():
    people = [side for row in labelled()[::7] for side in row[2:]]
    for one, other in product(people, people[:40]):
        there, back = score(one, other), score(other, one)
        assert there == back
        assert 0 <= there.points <= 100


def test_a_record_without_a_name_is_nobody_s_duplicate():
    assert score(Person(phones=frozenset({"+79000000001"})), Person(phones=frozenset({"+79000000001"}))).points < 45


def family(**fields: object) -> Patient:
    names = {"last_name": "Котова", "first_name": "Анна", "birth_date": date(1985, 3, 12), "search": "котова анна"}
    return make.patient(**(names | fields))


@pytest.mark.django_db
def test_the_work_list_holds_pairs_once_and_dismissed_ones_never_again():
    a, b = family(phone="+79120000001"), family(phone="+79120000001", birth_date=date(1985, 12, 3))
    family(first_name="Пётр", search="котова петр", phone="+79120000001", birth_date=date(2015, 1, 1))
    for _n in range(2):
        find_duplicates(now=NOW)
    pair = DuplicatePair.objects.get()
    assert (pair.left_id, pair.right_id, pair.status) == (a.pk, b.pk, "open")
    assert dismiss_pair(pair=pair, by=make.actor(), now=NOW)
    assert not dismiss_pair(pair=pair, by=make.actor(), now=NOW)
    find_duplicates(now=NOW)
    assert DuplicatePair.objects.get().status == "dismissed"


@pytest.mark.django_db
def test_a_pair_that_was_corrected_leaves_the_list():
    family()
    b = family()
    find_duplicates(now=NOW)
    Patient.objects.filter(pk=b.pk).update(first_name="Ольга", birth_date=date(2001, 1, 1), search="котова ольга")
    find_duplicates(now=NOW)
    assert not DuplicatePair.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [
        {"first_name": "Котова", "last_name": "Анна", "search": "анна котова"},
        {"last_name": "Котва", "search": "котва анна"},
        {"first_name": "А.", "search": "котова а."},
    ],
)
def test_swapped_mistyped_and_short_names_share_a_block(fields: dict):
    family()
    family(**fields)
    find_duplicates(now=NOW)
    assert DuplicatePair.objects.count() == 1


@pytest.mark.django_db
def test_looking_through_the_clinic_takes_the_same_queries_for_any_number_of_patients(django_assert_max_num_queries):
    for n in range(40):
        family(phone=f"+7912000{n // 2:04d}", first_name=f"Анна{n}" if n % 2 else "Анна")
    with django_assert_max_num_queries(30):
        find_duplicates(now=NOW)


@pytest.mark.django_db
def test_while_typing_the_best_come_first_within_the_reader_s_branch(django_assert_num_queries):
    here, there = make.branch(), make.branch()
    twin = family(branch=here, phone="+79120000001")
    family(branch=there, phone="+79120000001")
    draft = Person("Котова", "Анна", birth_date=date(1985, 3, 12), phones=frozenset({"+79120000001"}))
    assert [
        found.patient.pk for found in possible_duplicates(draft, make.actor("administrator", branch_id=here.pk))
    ] == [twin.pk]
    for _n in range(10):
        family(branch=here)
    with django_assert_num_queries(3):
        found = possible_duplicates(draft, make.actor("administrator"), limit=5)
    assert len(found) == 5
    assert found[0].score >= found[-1].score
    assert possible_duplicates(Person(), make.actor()) == []


@pytest.mark.django_db
def test_a_merged_record_that_fits_shows_its_survivor():
    root = family(last_name="Белая", search="белая анна")
    merged = family()
    Patient.objects.filter(pk=merged.pk).update(merged_into=root, canonical=root)
    draft = Person("Котова", "Анна", birth_date=date(1985, 3, 12))
    assert [found.patient.pk for found in possible_duplicates(draft, make.actor())] == [root.pk]


@pytest.mark.django_db
def test_the_list_of_a_branch_holds_only_pairs_that_it_sees():
    here, there = make.branch(), make.branch()
    family(branch=here)
    family(branch=there)
    find_duplicates(now=NOW)
    assert open_pairs(make.actor()).count() == 1
    assert open_pairs(make.actor("administrator", branch_id=here.pk)).count() == 0
