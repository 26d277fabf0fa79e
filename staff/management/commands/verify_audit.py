from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from staff.queries.audit import verify_audit


class Command(BaseCommand):
    help = "Checks that no entry of the audit log was edited, deleted or cut off: exit 0 with their count, else exit 1."

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verify_audit()
        if verdict.problem:
            raise CommandError(verdict.problem, returncode=1)
        self.stdout.write(str(verdict.count))
