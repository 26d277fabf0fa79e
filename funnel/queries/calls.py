"""Calls: whose they are, which wait for a call back, the list and the card."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Q, QuerySet

from core.sealed import unseal
from funnel.models import Call, Operator, TelephonyLine
from staff.access import Actor
from staff.models import User

UNANSWERED = (Call.Outcome.MISSED, Call.Outcome.BUSY, Call.Outcome.REJECTED, Call.Outcome.FAILED)
SHOWN = 50


def visible_calls(by: Actor) -> QuerySet[Call]:
    """Of the actor's branch and those that no branch has, or all."""
    calls = Call.objects.all()
    return calls if by.branch_id is None else calls.filter(Q(branch=by.branch_id) | Q(branch=None))


def missed_calls(calls: QuerySet[Call]) -> QuerySet[Call]:
    return calls.filter(direction=Call.Direction.IN, outcome__in=UNANSWERED)


def not_settled(calls: QuerySet[Call] | None = None) -> QuerySet[Call]:
    """Missed, nobody talked to the number since, no reason given, and no work item closed with an answer."""
    dealt = Q(missed_item__status="done") & ~Q(missed_item__outcome__startswith="no_answer")
    found = missed_calls(Call.objects.all() if calls is None else calls)
    return found.filter(called_back_at=None, explained_at=None).exclude(dealt)


@dataclass(frozen=True)
class CallPage:
    rows: list[Call]
    after: str  # "" at the end


def call_page(calls: QuerySet[Call], after: str) -> CallPage:
    """The latest first, past the key `after` ("seconds_id"; anything else is the beginning). One query."""
    moment, _, pk = after.partition("_")
    if moment.lstrip("-").isdecimal() and pk.isdecimal() and len(moment) < 18 and len(pk) < 19:
        at = datetime.fromtimestamp(int(moment) / 1_000_000, UTC)
        calls = calls.filter(Q(started_at__lt=at) | Q(started_at=at, pk__lt=int(pk)))
    found = list(
        calls.select_related("operator", "patient", "branch", "missed_item", "explained_by").order_by(
            "-started_at", "-pk"
        )[: SHOWN + 1]
    )
    last = found[SHOWN - 1] if len(found) > SHOWN else None
    return CallPage(found[:SHOWN], f"{_micros(last.started_at)}_{last.pk}" if last else "")


def _micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def secrets_of(line: TelephonyLine) -> dict[str, str]:
    """{secret, key, salt, token}, what of them the line has. Raises `core.sealed.Damaged`."""
    found: dict[str, str] = json.loads(
        unseal(bytes(line.secret), [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])
    )
    return found


def shown(calls: QuerySet[Call], show: str) -> QuerySet[Call]:
    """The calls of one of the list's views; all for a word that is none of them."""
    if show == "missed":
        return missed_calls(calls)
    if show == "waiting":
        return not_settled(calls)
    return calls.filter(outcome=Call.Outcome.ANSWERED) if show == "answered" else calls


def explained(calls: QuerySet[Call]) -> QuerySet[Call]:
    return missed_calls(calls).filter(explained_at__isnull=False)


def operators() -> list[User]:
    """Who answers calls: those who have a seat at a line."""
    return list(User.objects.filter(pk__in=Operator.objects.values("user")).order_by("full_name", "pk"))


def lines() -> list[TelephonyLine]:
    """All of them, the working ones first: a clinic has a few."""
    return list(TelephonyLine.objects.select_related("source", "branch").order_by("-is_active", "source__code"))


def seats() -> QuerySet[Operator]:
    return Operator.objects.select_related("source", "user").order_by("-id")
