"""Find a patient while typing: part of a name, the last digits of a phone, a card number (screens.md "Find").

Never a COUNT, never a sort of all hits: the first 200 matches are sorted, the best 20 shown (performance.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from core.names import folded
from core.phones import digits_of
from patients.models import Patient, PatientPhone
from patients.queries.scope import visible_patients
from staff.access import Actor

WITHIN, SHOWN = 200, 20
PHONE_SIGNS = frozenset("0123456789+-() .")
SHORT_NUMBER = 4  # from here on digits may be the end of a phone


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


def _by_number(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    digits = digits_of(text)
    card = Q(search__contains=folded(text), card_number__istartswith=text)
    if len(digits) < SHORT_NUMBER:
        return patients.filter(card)
    local = digits[1:] if len(digits) == 11 and digits[0] in "78" else digits  # 8 912… is +7 912…
    # A list of the index's own answers: as EXISTS the planner walks every patient instead.
    owners = list(PatientPhone.objects.filter(ends_with(local)).values_list("patient_id", flat=True)[: WITHIN * 5])
    return patients.filter(Q(pk__in=owners) | card)


def _by_words(patients: QuerySet[Patient], words: list[str]) -> QuerySet[Patient]:
    for word in words:
        patients = patients.filter(search__contains=word)
    return patients


def matching(text: str, by: Actor) -> QuerySet[Patient]:
    """Records (merged ones too) that `by` may see and the text fits; unordered. Nothing for an empty text."""
    patients, words = visible_patients(by), folded(text).split()
    if not words:
        return patients.none()
    if set(text) <= PHONE_SIGNS and digits_of(text):
        return _by_number(patients, text.strip())
    return _by_words(patients, words)


def _place(patient: Any, first: str) -> tuple[bool, str]:
    """Whose last name begins as typed comes first."""
    name = folded(f"{patient.last_name} {patient.first_name} {patient.middle_name}")
    return not name.startswith(first), name


def find_patients(*, text: str, by: Actor) -> Found:
    """The best 20 canonical patients of the first 200 matches: four queries at most, whatever the text."""
    ids = matching(text, by).values_list("pk", "canonical_id")[: WITHIN + 1]
    roots = {canonical or pk for pk, canonical in ids}
    first = (folded(text).split() or [""])[0]
    patients = sorted(Patient.objects.filter(pk__in=roots), key=lambda one: _place(one, first))
    shown = patients[:SHOWN]
    phones = first_phones([one.pk for one in shown]) if by.may("see_contacts") else {}
    hits = [Hit(p.pk, p.full_name, p.birth_date, p.card_number, phones.get(p.pk, "")) for p in shown]
    return Found(hits, len(patients) > SHOWN)


def first_phones(patient_ids: list[int]) -> dict[int, str]:
    """{patient: the phone to use first} by one query."""
    rows = PatientPhone.objects.filter(patient__in=patient_ids).order_by("-position", "-id")
    return dict(rows.values_list("patient_id", "number"))
