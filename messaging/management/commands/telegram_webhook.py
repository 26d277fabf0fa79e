"""Tell Telegram where our bot is called: `manage.py telegram_webhook`, once after the token was set or the address changed."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from messaging.transports.telegram import Telegram

SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
WANTED = ["message", "my_chat_member"]


class Command(BaseCommand):
    help = "Sets the webhook of the Telegram bot with TELEGRAM_WEBHOOK_SECRET; --remove takes it away."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true", help="no more updates")

    def handle(self, *args: Any, remove: bool = False, **options: Any) -> None:
        if not settings.TELEGRAM_BOT_TOKEN:
            raise CommandError("TELEGRAM_BOT_TOKEN is empty")
        url = settings.PUBLIC_URL + reverse("telegram-hook")
        try:
            if remove:
                Telegram.from_settings().call("deleteWebhook")
            else:
                self._check(url)
                secret = settings.TELEGRAM_WEBHOOK_SECRET
                Telegram.from_settings().call("setWebhook", url=url, secret_token=secret, allowed_updates=WANTED)
        except RuntimeError as error:
            raise CommandError(f"Telegram says: {error}") from error
        self.stdout.write("removed" if remove else f"Telegram calls {url}")

    def _check(self, url: str) -> None:
        if not url.startswith("https://"):
            raise CommandError("PUBLIC_URL must begin with https: Telegram calls nothing else")
        if not SECRET.fullmatch(settings.TELEGRAM_WEBHOOK_SECRET):
            raise CommandError("TELEGRAM_WEBHOOK_SECRET must be 1 to 256 of A-Z a-z 0-9 _ -")
