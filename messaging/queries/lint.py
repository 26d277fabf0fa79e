"""What is wrong with a text, asked with what only this clinic knows: its name and how it calls its specialities."""

from __future__ import annotations

from messaging.rules.lint import Finding, lint
from messaging.rules.texts import Wording
from staff.models import Clinic, Doctor

MOST = 300  # specialities that are looked for


def findings(words: Wording, *, transport: str, language: str, advertises: bool) -> list[Finding]:
    """Errors first; two queries."""
    [found] = findings_of({f"{transport}:{language}": words}, advertises=advertises).values()
    return found


def findings_of(texts: dict[str, Wording], *, advertises: bool) -> dict[str, list[Finding]]:
    """{"sms:ru": findings}, by two queries whatever the number of texts."""
    clinic = Clinic.objects.filter(pk=1).values_list("name", flat=True).first() or ""
    called = specialities()
    found = {}
    for key, words in texts.items():
        transport, _colon, language = key.partition(":")
        given = {"transport": transport, "language": language, "advertises": advertises}
        found[key] = lint(words, clinic=clinic, specialities=called, **given)  # type: ignore[arg-type]
    return found


def specialities() -> list[str]:
    """As the clinic calls its own."""
    doctors = Doctor.objects.exclude(speciality="").order_by("speciality")
    return list(doctors.values_list("speciality", flat=True).distinct()[:MOST])
