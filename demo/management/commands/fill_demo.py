"""Fill an empty demo installation. Refuses to touch anything that already has patients."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from demo import actions


class Command(BaseCommand):
    help = "Fill an empty installation with the demo clinic (only with DEMO=1)."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--patients", type=int, default=3000)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is no demo (DEMO is not set): nothing was written.")
        now, empty = timezone.now(), actions.is_empty()
        if empty:
            self.stdout.write("Filling the demo clinic …")
            actions.fill(seed=options["seed"], patients=options["patients"], now=now, say=self.stdout.write)
        actions.people_of_the_demo(now=now, file=settings.VAR_DIR / "demo-logins.json")
        if empty:
            told = actions.tell_outreach(seed=options["seed"], now=now)
            self.stdout.write(f"  messages of a month: {told}")
            # By the clock as it stands now: the filling has taken a while, and the inbox counts seconds.
            told = actions.tell_replies(seed=options["seed"], now=timezone.now())
            self.stdout.write(f"  conversations: {told}")
            told = actions.tell_leads(seed=options["seed"], now=timezone.now())
            self.stdout.write(f"  enquiries that wait: {told}")
