"""The demo's local mailbox: a provider that lives in our own database and honours keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models.functions import Now

from messaging.models import MailboxItem
from messaging.transports.base import Deadline, Letter, LookUp, Outcome, Result, Verdict


class Mailbox:
    dedupe = "key"
    batch = 100
    call_seconds = 1.0
    key_seconds = float("inf")
    settle_seconds = 1.0

    def __init__(self, name: str) -> None:
        self.name = name

    def send(self, letters: Sequence[Letter], deadline: Deadline) -> list[Outcome]:
        MailboxItem.objects.bulk_create(
            [
                MailboxItem(
                    client_id=letter.client_id,
                    transport=self.name,
                    address=letter.to,
                    subject=letter.subject,
                    text=letter.text,
                    at=Now(),
                )
                for letter in letters
            ],
            ignore_conflicts=True,
        )
        return [Outcome(letter, Result.ACCEPTED, provider_id=letter.client_id) for letter in letters]

    def look_up(self, client_ids: Mapping[str, str]) -> list[LookUp]:
        there = set(MailboxItem.objects.filter(client_id__in=client_ids).values_list("client_id", flat=True))
        verdict = {True: Verdict.FOUND, False: Verdict.NOT_FOUND}
        return [LookUp(client_id, verdict[client_id in there], client_id) for client_id in client_ids]
