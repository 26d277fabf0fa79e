"""What a batch of rows may point at: doctors, services, channels and branches by name, patients by who they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Model

from core.names import folded
from core.phones import BadPhone, parse_phones
from mis.rules.identity import full_name, patient_id
from mis.rules.rows import SEVERAL, Cells, Known
from patients.models import Channel, Patient, PatientPhone, Service, Visit
from patients.queries.scope import visible_patients
from staff.access import Actor
from staff.actions.intake import store
from staff.models import Branch, Doctor, Source


def known_names() -> Known:
    """Everything that is known by name. These tables are short; a name that two bear is nobody's."""
    branches = _by_name(Branch)
    branches |= {folded(code): pk for pk, code in Branch.objects.values_list("pk", "external_id")}
    return Known(_by_name(Doctor), _by_name(Service), _by_name(Channel), branches)


def _by_name(model: type[Model]) -> dict[str, int]:
    rows = [(folded(name), pk) for pk, name in model._default_manager.values_list("pk", "name")]
    often = Counter(name for name, _pk in rows)
    return {name: pk for name, pk in rows if often[name] == 1}


def known_visits(source: Source, codes: Iterable[str]) -> set[str]:
    wanted = Visit.objects.filter(source=source, external_id__in=store.among(set(codes)))
    return set(wanted.values_list("external_id", flat=True))


def find_patients(source: Source, by: Actor, rows: Mapping[int, Cells]) -> dict[int, int]:
    """Row number -> our id of its patient, or SEVERAL. By the source's id, else by card number, else by full name
    together with birth date or phone; never by a phone or a name alone.
    """
    found = _by_external(source, by, rows)
    rest = {number: cells for number, cells in rows.items() if number not in found}
    found |= _by_card(source, by, rest)
    people = {
        number: cells
        for number, cells in rest.items()
        if number not in found and not cells.get("patient_id") and not cells.get("card_number")
    }
    return found | _by_person(by, people)


def _by_external(source: Source, by: Actor, rows: Mapping[int, Cells]) -> dict[int, int]:
    codes = {number: patient_id(cells) for number, cells in rows.items()}
    stored = visible_patients(by).filter(source=source, external_id__in=store.among(set(codes.values())))
    ids = dict(stored.values_list("external_id", "pk"))
    return {number: ids[code] for number, code in codes.items() if code in ids}


def _by_card(source: Source, by: Actor, rows: Mapping[int, Cells]) -> dict[int, int]:
    cards = {
        n: cells["card_number"] for n, cells in rows.items() if cells.get("card_number") and not cells.get("patient_id")
    }
    if not cards:
        return {}
    stored = visible_patients(by).filter(source=source, card_number__in=store.among(set(cards.values())))
    owners: dict[str, list[int]] = defaultdict(list)
    for card, pk in stored.values_list("card_number", "pk"):
        owners[card].append(pk)
    return {n: _only(owners[card]) for n, card in cards.items() if card in owners}


def _only(owners: list[int]) -> int:
    return owners[0] if len(owners) == 1 else SEVERAL


def _by_person(by: Actor, rows: Mapping[int, Cells]) -> dict[int, int]:
    names = {number: full_name(cells) for number, cells in rows.items()}
    if not names:
        return {}
    stored = visible_patients(by).filter(
        merged_into=None,
        last_name__in=store.among({last for last, _first, _middle in names.values()}),
        first_name__in=store.among({first for _last, first, _middle in names.values()}),
    )
    people: dict[tuple[str, ...], list[Patient]] = defaultdict(list)
    for person in stored.only("last_name", "first_name", "middle_name", "birth_date"):
        people[_key((person.last_name, person.first_name, person.middle_name))].append(person)
    phones = _phones_of([person.pk for same in people.values() for person in same])
    found = {}
    for number, name in names.items():
        fits = [p.pk for p in people.get(_key(name), []) if _same_person(rows[number], p, phones[p.pk])]
        if fits:
            found[number] = _only(fits)
    return found


def _key(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(folded(name) for name in names)


def _phones_of(ids: list[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    rows = PatientPhone.objects.filter(patient_id__in=store.among(ids, "bigint"))
    for owner, number in rows.values_list("patient_id", "number"):
        found[owner].add(number)
    return found


def _same_person(cells: Cells, person: Patient, phones: set[str]) -> bool:
    """Of two with one name: the birth date decides where both are known, else a common phone."""
    born: Any = cells.get("birth_date")
    if born and person.birth_date:
        return bool(born == person.birth_date.isoformat())
    try:
        return bool(phones & {phone.number for phone in parse_phones(cells.get("phones", ""))})
    except BadPhone:
        return False
