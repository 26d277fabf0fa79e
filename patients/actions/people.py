"""Patients as other systems send them: names, phones, referrer, and merges that the system made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.names import folded
from core.phones import BadPhone, Phone, digits_of, parse_phones
from patients.actions.pointers import settle_merges
from patients.models import Channel, Household, Patient, PatientPhone, PatientTag
from patients.models.person import Transport
from patients.queries.scope import visible_patients
from staff.access import Actor
from staff.actions.intake import Batch, Field, Record, Ref, Resource, RowResult, fail, feed, intake, note_lines, store
from staff.actions.intake.ground import BRANCH
from staff.actions.intake.parsers import (
    choice,
    day,
    described,
    email,
    instant,
    listing,
    long_text,
    text,
    time_zone,
    truth,
)
from staff.models import Source

MOST_PHONES = 20
PHONE_FAULTS = {  # what core.phones says, in the reader's language
    "not a phone number": gettext_lazy("not a phone number"),
    "damaged by a spreadsheet: digits of the number are lost": gettext_lazy(
        "damaged by a spreadsheet: digits of the number are lost"
    ),
}


def language(value: Any) -> str:
    found = str(value).strip().lower()
    if len(found) != 2 or not found.isalpha():
        raise ValueError(_("must be a language code of two letters such as ru"))
    return found


def several(value: Any) -> list[str]:
    """A list of texts, or one text."""
    entries = listing(value) if isinstance(value, list) else [value]
    if not all(isinstance(entry, str) for entry in entries):
        raise ValueError(_("must be text or a list of texts"))
    return [entry.replace("\x00", "") for entry in entries]


def tags(value: Any) -> list[str]:
    entries = [part for entry in several(value) for part in entry.split(";")]
    found = [text(60)(entry) for entry in entries]
    return list(dict.fromkeys(tag for tag in found if tag))


def email_pair(value: Any) -> tuple[str, str]:
    """The address as it is compared, and as it came."""
    return email(value), str(value).replace("\x00", "").strip()


TEXTS = {"type": "array", "items": {"type": "string"}}
described(language, type="string", pattern="^[A-Za-z]{2}$")
described(several, oneOf=[TEXTS, {"type": "string"}])
described(tags, oneOf=[TEXTS, {"type": "string"}])
described(email_pair, type="string", format="email", maxLength=254)


def _prepare(batch: Batch) -> None:
    """Stored phones and tags by patient id."""
    phones: dict[int, list[Phone]] = defaultdict(list)
    labels: dict[int, list[str]] = defaultdict(list)
    stored = store.among([record.id for record in batch.live if record.old is not None], "bigint")
    rows = PatientPhone.objects.filter(patient_id__in=stored).order_by("position", "id")
    for owner, number, raw in rows.values_list("patient_id", "number", "raw"):
        phones[owner].append(Phone(number, raw))
    for owner, name in PatientTag.objects.filter(patient_id__in=stored).values_list("patient_id", "name"):
        labels[owner].append(name)
    batch.kept |= {"phones": phones, "tags": labels}


def _check(batch: Batch, record: Record) -> None:
    values = record.values
    if values["branch_id"] is None:
        values["branch_id"] = batch.branches.default_id
    if "email" in record.loose:
        values["email"], values["email_raw"] = record.loose["email"] or ("", "")
    if values["referrer_id"] is not None and values["referrer_id"] == record.id:
        fail(record, "referrer_id", _("a patient cannot refer himself"))
    _check_phones(batch, record)
    if "tags" in record.loose:
        record.touched |= sorted(record.loose["tags"] or []) != sorted(batch.kept["tags"][record.id])
    values["search"] = search_text(values, record.kept["phones"])


def _check_phones(batch: Batch, record: Record) -> None:
    """`kept["phones"]`: the list of phones that the record will have."""
    kept = record.kept["phones"] = batch.kept["phones"][record.id]
    if "phones" not in record.loose:
        return
    region = batch.branches.region(record.values["branch_id"])
    phones: dict[str, Phone] = {}
    for entry in record.loose["phones"] or ():
        try:
            phones.update((phone.number, phone) for phone in parse_phones(entry, region) if phone.number not in phones)
        except BadPhone as error:
            fail(record, "phones", f"{entry[:60]}: {PHONE_FAULTS.get(str(error), error)}")
    if len(phones) > MOST_PHONES:
        fail(record, "phones", _("has more than %(limit)d entries") % {"limit": MOST_PHONES})
    found = [Phone(phone.number, phone.raw[:60]) for phone in phones.values()]
    record.kept["phones"] = found
    record.touched |= found != kept


def search_text(values: Mapping[str, Any], phones: Sequence[Phone]) -> str:
    """What Find looks through: folded names, digits of the phones, card number."""
    names = (folded(values[name]) for name in ("last_name", "first_name", "middle_name"))
    parts = [*names, *(digits_of(phone.number) for phone in phones), folded(values["card_number"])]
    return " ".join(part for part in parts if part)


def _zone(batch: Batch, record: Record) -> str:
    return batch.branches.tz(record.values["branch_id"])


def own_households(by: Actor) -> QuerySet[Household]:
    households = Household.objects.all()
    return households if by.branch_id is None else households.filter(pk__in=visible_patients(by).values("household_id"))


def new_household(values: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A household is known by its external id from the first member that names it (R32)."""
    return {"name": values["last_name"], "created_at": now}


PATIENTS = Resource(
    name="patients",
    model=Patient,
    keys=(
        Field("created_at", instant, "created_at"),
        Field("last_name", text(120), "last_name"),
        Field("first_name", text(120), "first_name"),
        Field("middle_name", text(120), "middle_name"),
        Field("birth_date", day, "birth_date"),
        Field("sex", choice(Patient.Sex.values), "sex"),
        Field("phones", several, aliases=("phone",)),
        Field("email", email_pair),
        Field("preferred_transport", choice(Transport.values), "preferred_transport"),
        Field("language", language, "language"),
        Field("tz", time_zone, "tz"),
        Field("card_number", text(40), "card_number"),
        Field("natural_churn_reason", choice(Patient.ChurnReason.values), "natural_churn_reason", deed="see_medical"),
        Field("natural_churn_date", day, "natural_churn_date", deed="see_medical"),
        Field("is_test", truth, "is_test", deed="mark_test_patients"),
        Field("note", long_text(), "note"),
        Field("tags", tags),
        BRANCH,
        Ref("channel_id", "channel_id", "channel", Channel),
        Ref("referrer_id", "referrer_id", "referrer", Patient, within=True, scope=visible_patients),
        Ref(
            "responsible_adult_id",
            "responsible_adult_id",
            "responsible_adult",
            Patient,
            within=True,
            scope=visible_patients,
        ),
        Ref("household_id", "household_id", "household", Household, scope=own_households, made=new_household),
        Ref("merged_into", "merged_into_id", "merged_into_record", Patient, within=True, scope=visible_patients),
    ),
    check=_check,
    prepare=_prepare,
    zone=_zone,
    scope=visible_patients,
    branch=lambda record: record.values["branch_id"],
    on_create=("created_at",),
)


def record_patients(
    *, source: Source, rows: Sequence[Mapping[str, object]], by: Actor, now: datetime
) -> list[RowResult]:
    """Upsert patients. Without `created_at` a new record was first known `now`.

    `merged_into` (an external id): the record was merged away in the other system; it keeps its own external id and
    facts, and figures follow the pointers. null undoes only a merge that the source made; a merge that people made
    here stands, whatever the source says.
    """

    def work(numbered: list[tuple[int, Mapping[str, Any]]]) -> Batch:
        batch = Batch(PATIENTS, source=source, by=by, now=now)
        batch.read(numbered)
        batch.load()
        batch.settle()
        merges = settle_merges(batch)
        batch.classify()
        batch.write()
        _write_phones(batch)
        _write_tags(batch)
        merges.write()
        feed(batch)
        if merges.lines:
            note_lines(merges.lines, now)
        return batch

    return intake(work, rows=rows, by=by, now=now, deed="record_patients")


def _write_phones(batch: Batch) -> None:
    changed = [r for r in batch.updated if r.kept["phones"] != batch.kept["phones"][r.id]]
    if changed:
        PatientPhone.objects.filter(patient_id__in=store.among([r.id for r in changed], "bigint")).delete()
    rows = [
        (record.id, phone.number, phone.raw, digits_of(phone.number)[::-1], position)
        for record in (*batch.created, *changed)
        for position, phone in enumerate(record.kept["phones"])
    ]
    store.insert(PatientPhone, ("patient_id", "number", "raw", "reverse_digits", "position"), rows)


def _write_tags(batch: Batch) -> None:
    changed = [r for r in (*batch.created, *batch.updated) if "tags" in r.loose]
    stored = [r.id for r in changed if r.old is not None]
    if stored:
        PatientTag.objects.filter(patient_id__in=store.among(stored, "bigint")).delete()
    rows = [(record.id, name) for record in changed for name in record.loose["tags"] or ()]
    store.insert(PatientTag, ("patient_id", "name"), rows)
