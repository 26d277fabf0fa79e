"""Writers of the audit log that race: a process of its own against a file, since threads cannot share `:memory:`."""

from __future__ import annotations

import os
import sys
import threading


def race(threads: int, rounds: int) -> list[str]:
    """`threads` writers, each `rounds` times one entry and then two together. Answers what went wrong."""
    from django.db import connection, transaction

    from staff import actions
    from tests import make

    failures: list[str] = []

    def work() -> None:
        try:
            for n in range(rounds):
                with transaction.atomic():
                    actions.record(by=make.actor(), deed="see_card", now=make.NOW, patient_id=n)
                with actions.one_deed():
                    actions.record(by=make.actor(), deed="book_visit", now=make.NOW)
                    actions.record(by=make.actor(), deed="edit_patient", now=make.NOW, fields=["email"])
        except Exception as error:  # the test shows it
            failures.append(repr(error))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return failures


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
    django.setup()
    from staff.queries.audit import verify_audit

    problems = race(int(sys.argv[1]), int(sys.argv[2]))
    verdict = verify_audit()
    print(verdict.count, *problems, verdict.problem)
