from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from staff.access import SYSTEM
from staff.actions.keys import NameTaken, make_key
from staff.models import Branch, Role


class Command(BaseCommand):
    help = "Makes an API key and prints the key alone: it is shown once and kept nowhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--role", required=True, help=", ".join(Role.values))
        parser.add_argument("--branch", default="", help="code (external id) of the branch; without it, all branches")

    def handle(self, *args: Any, name: str, role: str, branch: str, **options: Any) -> None:
        if role not in Role.values:
            raise CommandError(f"unknown role {role!r}; roles are: {', '.join(Role.values)}", returncode=2)
        found = Branch.objects.filter(external_id=branch).order_by("source_id").first() if branch else None
        if branch and found is None:
            raise CommandError(f"unknown branch {branch!r}", returncode=2)
        try:
            _key, text = make_key(name=name[:120], role=role, branch=found, by=SYSTEM, now=timezone.now())
        except NameTaken as error:
            raise CommandError(
                f"a live key is called {name!r} already: revoke it or choose another name", returncode=2
            ) from error
        self.stdout.write(text)
