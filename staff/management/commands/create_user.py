from __future__ import annotations

import re
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from django.utils import timezone

from staff.access import SYSTEM
from staff.actions.people import add_user
from staff.models import Branch, Role

LOGIN = re.compile(r"^[a-z0-9._@+-]{3,60}$")


class Command(BaseCommand):
    help = "Makes an account. The password is read from standard input with --password-stdin, else made and printed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("login")
        parser.add_argument("--role", required=True, help=", ".join(Role.values))
        parser.add_argument("--name", default="", help="full name")
        parser.add_argument("--branch", default="", help="code of the branch; without it, all branches")
        parser.add_argument("--password-stdin", action="store_true")

    def handle(self, *args: Any, login: str, role: str, name: str, branch: str, **options: Any) -> None:
        login = login.strip().lower()
        if not LOGIN.match(login):
            raise CommandError("a login is 3 to 60 latin letters, digits and . _ - + @", returncode=2)
        if role not in Role.values or role == Role.INTEGRATION:
            raise CommandError(f"unknown role {role!r}; roles are: {', '.join(Role.values[:-1])}", returncode=2)
        found = Branch.objects.filter(external_id=branch).order_by("source_id").first() if branch else None
        if branch and found is None:
            raise CommandError(f"unknown branch {branch!r}", returncode=2)
        given = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else ""
        fields = {"login": login, "full_name": name or login, "role": role, "branch_id": found.pk if found else None}
        try:
            _user, password = add_user(fields=fields, by=SYSTEM, now=timezone.now(), password=given)
        except IntegrityError as error:
            raise CommandError(f"the login {login!r} is taken", returncode=2) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=2) from error
        if not given:
            self.stdout.write(password)
