from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from staff.models import Source


def source_named(*, code: str) -> Source:
    """The source with this code, made if it is new."""
    found = Source.objects.filter(code=code).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return Source.objects.create(code=code)
    except IntegrityError:
        return Source.objects.get(code=code)


def mark_fresh(*, source: Source, now: datetime) -> None:
    """The source has delivered something: `last_ok_at` is how fresh its data is."""
    Source.objects.filter(pk=source.pk).update(last_ok_at=now)
