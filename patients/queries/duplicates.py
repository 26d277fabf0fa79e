"""Who may be the same person: while a new patient is typed, and as a work list. Nothing merges by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from operator import itemgetter
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from core.names import folded
from patients.models import Patient, PatientPhone
from patients.queries.scope import visible_patients
from patients.rules.duplicates import HINT, Person, Score, score
from staff.access import Actor

BLOCK = 60  # records in one block that are compared with each other: a switchboard's number is no evidence
CANDIDATES = 200
CHUNK = 2000
FIELDS = ("id", "last_name", "first_name", "middle_name", "birth_date", "email", "sex")


@dataclass(frozen=True)
class Possible:
    """A canonical patient that may be the one who is being typed."""

    patient: Patient
    score: int
    reasons: list[str]


def possible_duplicates(draft: Person, by: Actor, limit: int = 5) -> list[Possible]:
    """Who of the visible patients may be `draft`, best first. Three queries, whatever is stored."""
    wanted = _near(draft)
    if not wanted:
        return []
    records = list(visible_patients(by).filter(wanted, is_test=False).order_by("-id")[:CANDIDATES])
    phones = phones_of([record.pk for record in records])
    best: dict[int, tuple[Score, int]] = {}
    for record in records:
        found = score(draft, person_of(record, phones.get(record.pk, frozenset())))
        if found.points >= HINT and found.points > best.get(record.root_id, (Score(-1), 0))[0].points:
            best[record.root_id] = (found, record.pk)
    order = sorted(best, key=lambda root: (-best[root][0].points, root))[:limit]
    roots = visible_patients(by).select_related("branch").in_bulk(order)
    return [Possible(roots[pk], best[pk][0].points, best[pk][0].reasons) for pk in order if pk in roots]


def _near(draft: Person) -> Q:
    """What any true duplicate shares: a phone, an e-mail, the birth date, or the beginning of the family name."""
    wanted = Q()
    if draft.phones:
        wanted = Q(pk__in=PatientPhone.objects.filter(number__in=sorted(draft.phones)[:20]).values("patient_id"))
    if draft.email:
        wanted |= Q(email=draft.email)
    if draft.birth_date:
        wanted |= Q(birth_date=draft.birth_date)
    names = [folded(draft.last_name), folded(draft.first_name)]
    if len(names[0]) > 2:
        start = names[0][:5]
        wanted |= (
            Q(search__startswith=start, search__contains=f" {names[1][:3]}")
            if names[1]
            else Q(search__startswith=start)
        )
    return wanted


def person_of(record: Patient, phones: Iterable[str]) -> Person:
    return Person(
        last_name=record.last_name,
        first_name=record.first_name,
        middle_name=record.middle_name,
        birth_date=record.birth_date,
        phones=frozenset(phones),
        email=record.email,
        sex=record.sex,
    )


def phones_of(ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """Numbers by record."""
    found: dict[int, set[str]] = {}
    for owner, number in PatientPhone.objects.filter(patient_id__in=ids).values_list("patient_id", "number"):
        found.setdefault(owner, set()).add(number)
    return {owner: frozenset(numbers) for owner, numbers in found.items()}


def group_phones(root_id: int) -> list[PatientPhone]:
    """Phones of a canonical patient and of all records merged into him, each number once, his own first."""
    rows = PatientPhone.objects.filter(Q(patient_id=root_id) | Q(patient__canonical_id=root_id)).order_by(
        Coalesce("patient__canonical_id", 0), "position", "id"
    )
    return list({row.number: row for row in reversed(list(rows[:100]))}.values())[::-1]


def roots() -> QuerySet[Patient]:
    """Canonical patients that are no test persons."""
    return Patient.objects.filter(merged_into=None, is_test=False)


# --- The work list ----------------------------------------------------------------------------------------------------
def candidate_pairs() -> Iterator[tuple[int, int]]:
    """Pairs of canonical patients worth comparing (smaller id first), perhaps repeated. Four queries, streamed.

    Blocks: the same phone; e-mail; birth date with alike beginnings of the names; family and first name.
    """
    phones = (
        PatientPhone.objects.filter(patient__is_test=False)
        .annotate(root=Coalesce("patient__canonical_id", "patient_id"))
        .order_by("number")
        .values_list("number", "root")
    )
    yield from _pairs(phones)
    yield from _pairs(roots().exclude(email="").order_by("email").values_list("email", "id"))
    yield from _birth_pairs()
    yield from _pairs(_name_keys())


def _pairs(rows: Iterable[tuple[Any, int]]) -> Iterator[tuple[int, int]]:
    """All pairs inside each run of equal keys; a run that is too long is evidence of nothing."""
    stream = rows.iterator(chunk_size=CHUNK) if isinstance(rows, QuerySet) else rows
    for _key, run in groupby(stream, key=itemgetter(0)):
        ids = sorted({row[1] for row in run})
        if len(ids) <= BLOCK:
            yield from combinations(ids, 2)


def _birth_pairs() -> Iterator[tuple[int, int]]:
    """Born on one day, and the family or first names begin alike (also swapped)."""
    rows = (
        roots()
        .exclude(birth_date=None)
        .order_by("birth_date")
        .values_list("birth_date", "id", "last_name", "first_name")
    )
    for _day, run in groupby(rows.iterator(chunk_size=CHUNK), key=itemgetter(0)):
        people = sorted((pk, {folded(last)[:3], folded(first)[:3]} - {""}) for _date, pk, last, first in run)
        yield from ((a[0], b[0]) for a, b in combinations(people, 2) if a[1] & b[1])


def _name_keys() -> Iterator[tuple[str, int]]:
    """(family name and first name, id), in order of that key: `search` begins with them."""
    rows = roots().exclude(last_name="").exclude(first_name="").order_by("search").values_list("search", "id")
    for text, pk in rows.iterator(chunk_size=CHUNK):
        yield " ".join(text.split(" ", 2)[:2]), pk


def scored(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Score]:
    """Scores of up to a few thousand pairs. Two queries."""
    pairs = list(pairs)
    ids = {pk for pair in pairs for pk in pair}
    records = {record.pk: record for record in roots().filter(pk__in=ids).only(*FIELDS)}
    numbers: dict[int, set[str]] = {}
    rows = PatientPhone.objects.annotate(root=Coalesce("patient__canonical_id", F("patient_id"))).filter(root__in=ids)
    for owner, number in rows.values_list("root", "number"):
        numbers.setdefault(owner, set()).add(number)
    people = {pk: person_of(record, numbers.get(pk, ())) for pk, record in records.items()}
    return {(a, b): score(people[a], people[b]) for a, b in pairs if a in people and b in people}
