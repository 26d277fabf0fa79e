"""Find a patient while typing: part of a name, the last digits of a phone, a card number (screens.md "Find").

Never a COUNT, never a sort of all hits: 20 names that begin as typed come from an index in order; when there are fewer,
the first 200 matches are sorted and the best 20 shown (performance.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Collate, Left

from core.names import folded
from core.phones import digits_of
from core.sql import on_postgresql
from patients.models import Patient, PatientPhone
from patients.queries.scope import visible_patients
from staff.access import Actor

WITHIN, SHOWN = 200, 20
PHONE_SIGNS = frozenset("0123456789+-() .")
SHORT_NUMBER = 4  # from here on digits may be the end of a phone
SHORT_WORD = 3  # letters: what is shorter has no trigram of its own
START = 40  # letters at the beginning of `search` that the index patients_patient_start holds
COLUMNS = ("canonical", "external_id", "last_name", "first_name", "middle_name", "birth_date", "card_number")


@dataclass(frozen=True)
class Hit:
    """One canonical patient as a line of the answer. `phone` is E.164 or empty."""

    id: int
    full_name: str
    birth_date: date | None
    card_number: str
    phone: str


@dataclass(frozen=True)
class Found:
    """`more`: there are more than are shown, so type on."""

    hits: list[Hit]
    more: bool


def ends_with(digits: str) -> Q:
    """Phones that end in these digits: a range on the reversed number, which any collation's index can serve."""
    low = digits[::-1]
    after = str(int(low) + 1).zfill(len(low))
    upper = Q(reverse_digits__lt=after) if len(after) == len(low) else Q()
    return Q(reverse_digits__gte=low) & upper


def _by_number(patients: QuerySet[Patient], text: str, by: Actor) -> list[QuerySet[Patient]]:
    """Whose phone ends so, and whose card begins so: each through an index of its own."""
    digits = digits_of(text)
    cards = patients.filter(card_number__startswith=text)
    if len(digits) < SHORT_NUMBER or not by.may("see_contacts"):
        return [cards]
    local = digits[1:] if len(digits) == 11 and digits[0] in "78" else digits  # 8 912… is +7 912…
    # A list of the index's own answers: as EXISTS the planner walks every patient instead.
    owners = list(PatientPhone.objects.filter(ends_with(local)).values_list("patient_id", flat=True)[: WITHIN * 5])
    return [patients.filter(pk__in=owners), cards]


def _by_words(patients: QuerySet[Patient], words: list[str], by: Actor) -> QuerySet[Patient]:
    """Every word somewhere in the row. Three letters are the least that the trigram index can look for inside a word:
    a shorter one must begin a word, and one letter alone the last name; else every row would be read."""
    for word in words:
        fits = Q(search__contains=word)
        if len(word) < SHORT_WORD:
            inner = Q(search__contains=f" {word}") if len(word) > 1 or len(words) > 1 else Q()
            fits = Q(search__startswith=word) | inner
        if _tells_phones(word, by):
            fits = Q(card_number__startswith=word)
        patients = patients.filter(fits)
    return patients


def _tells_phones(text: str, by: Actor) -> bool:
    """`search` holds phones too: digit by digit, the answers would spell a phone to whom none is shown."""
    return not by.may("see_contacts") and any(sign.isdigit() for sign in text)


def _is_number(text: str) -> bool:
    return set(text) <= PHONE_SIGNS and bool(digits_of(text))


def matching(text: str, by: Actor) -> list[QuerySet[Patient]]:
    """Records (merged ones too) that `by` may see and the text fits, unordered, likelier ones in the query before."""
    patients, words = visible_patients(by), folded(text).split()
    if not words:
        return []
    return _by_number(patients, text.strip(), by) if _is_number(text) else [_by_words(patients, words, by)]


def _beginning(text: str, by: Actor) -> list[Patient]:
    """The first in order of those whose name begins as typed, read straight from an index (PostgreSQL has one)."""
    typed = " ".join(folded(text).split())
    if not typed or _is_number(text) or _tells_phones(text, by) or not on_postgresql():
        return []
    start = Collate(Left("search", START), "C")
    fits = Q(start__startswith=typed[:START]) & (Q(search__startswith=typed) if len(typed) > START else Q())
    return list(visible_patients(by).alias(start=start).filter(fits).order_by("start").only(*COLUMNS)[: SHOWN + 1])


def _roots(records: Iterable[Patient]) -> dict[int, Patient]:
    """The canonical patients of the records: one query more, and only when some of them were merged away."""
    found = {one.pk: one for one in records if one.canonical_id is None}
    gone = {one.canonical_id for one in records if one.canonical_id is not None} - found.keys()
    return {**found, **(Patient.objects.only(*COLUMNS).in_bulk(gone) if gone else {})}


def _place(patient: Any, first: str) -> tuple[bool, str]:
    """Whose last name begins as typed comes first."""
    name = folded(f"{patient.last_name} {patient.first_name} {patient.middle_name}")
    return not name.startswith(first), name


def find_patients(*, text: str, by: Actor) -> Found:
    """The best 20 canonical patients: whose names begin as typed, then among the first 200 that fit at all.

    Five queries at most, whatever the text.
    """
    records = _beginning(text, by)
    roots = _roots(records)
    if len(roots) <= SHOWN:
        for fitting in matching(text, by):
            records += fitting.only(*COLUMNS)[: WITHIN + 1 - len(records)]
        roots = _roots(records)
    first = (folded(text).split() or [""])[0]
    patients = sorted(roots.values(), key=lambda one: _place(one, first))
    shown = patients[:SHOWN]
    phones = first_phones([one.pk for one in shown]) if by.may("see_contacts") else {}
    hits = [Hit(p.pk, p.full_name, p.birth_date, p.card_number, phones.get(p.pk, "")) for p in shown]
    return Found(hits, len(patients) > SHOWN)


def first_phones(patient_ids: list[int]) -> dict[int, str]:
    """{patient: the phone to use first} by one query."""
    rows = PatientPhone.objects.filter(patient__in=patient_ids).order_by("-position", "-id")
    return dict(rows.values_list("patient_id", "number"))
