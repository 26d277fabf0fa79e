"""Fill the outbox of a drill's database: `python -m tests.drills.fill 2000`."""

from __future__ import annotations

import os
import sys
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")


def fill(number: int, first: int = 0) -> None:
    from messaging.models import Message
    from messaging.queries.clock import database_now
    from patients.models import Patient
    from staff.models import Branch

    now = database_now()
    branch = Branch.objects.filter(is_default=True).first() or Branch.objects.create(
        name="Drill", tz="Europe/Moscow", is_default=True
    )
    patient = Patient.objects.create(branch=branch, created_at=now, first_name="Иван")
    Message.objects.bulk_create(
        (
            Message(
                patient=patient, purpose="service", transport="sms", address=f"+7916{n:07}", text=f"Ждём вас, {n}",
                tz="", dedupe_key=f"drill:{n}", created_at=now, not_before=now, expires_at=now + timedelta(days=1),
            )
            for n in range(first, first + number)
        ),
        batch_size=1000,
    )  # fmt: skip


if __name__ == "__main__":
    import django

    django.setup()
    fill(int(sys.argv[1]))
