"""Run by test_booking in processes of its own: `python -m tests.patients.booking_race DOCTOR PATIENT…` books one slot.

In-memory SQLite shares one cache between threads, which no production does: the race needs a file and processes.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")


def main(doctor_id: int, patient_ids: list[int]) -> None:
    import django

    django.setup()
    from django.db import connection

    from patients.actions import book_visit
    from patients.actions.booking import SlotTaken
    from patients.models import Patient
    from staff.models import Doctor
    from tests import make

    doctor = Doctor.objects.get(pk=doctor_id)
    start = make.NOW + timedelta(hours=1)

    def one(patient_id: int) -> str:
        patient = Patient.objects.select_related("branch").get(pk=patient_id)
        try:
            book_visit(
                patient=patient,
                doctor=doctor,
                branch=patient.branch,
                start_at=start,
                end_at=start + timedelta(minutes=30),
                by=make.actor(),
                now=make.NOW,
            )
            return "booked"
        except SlotTaken:
            return "taken"
        finally:
            connection.close()

    sys.stdin.readline()  # every process starts at the same word
    with ThreadPoolExecutor(8) as pool:
        print(" ".join(pool.map(one, patient_ids)))


if __name__ == "__main__":
    main(int(sys.argv[1]), [int(arg) for arg in sys.argv[2:]])
