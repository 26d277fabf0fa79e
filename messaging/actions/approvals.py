"""A named person lets an advertisement run, or stops it (38-FZ art. 18 p. 2: not "without the participation of a man")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta

from django.db import transaction

from messaging.actions.templates import BadText
from messaging.models import Approval
from messaging.queries.due import clinic_day
from messaging.queries.lint import findings_of
from messaging.rules.texts import Wording, hash_of
from staff import actions as staff
from staff.access import Actor

LONGEST = timedelta(days=7)  # from the first day to the last, both counted


class NotAPerson(Exception):
    """A machine or an API key approves nothing."""


class BadDays(ValueError):
    """The days are in the past, the wrong way round, or more than a week."""


@transaction.atomic
def approve(
    *,
    subject: str,
    texts: Mapping[str, Wording],
    audience: int,
    first_day: date,
    last_day: date,
    by: Actor,
    now: datetime,
) -> Approval:
    """`subject` may advertise on these days of the clinic, with just these texts ({"sms:ru": …}): a later edit needs a
    new approval. `audience` = how many were due when it was given. Raises NotAPerson, BadDays, BadText."""
    if by.kind != "user" or by.id is None:
        raise NotAPerson
    if not clinic_day(now) <= first_day <= last_day < first_day + LONGEST:
        raise BadDays
    wrong = [one for found in findings_of(dict(texts), advertises=True).values() for one in found if one.is_error]
    if wrong or not texts:
        raise BadText(wrong)
    snapshot = {key: asdict(words) for key, words in texts.items()}
    row = Approval.objects.create(
        subject=subject,
        first_day=first_day,
        last_day=last_day,
        texts=snapshot,
        text_hash=hash_of(texts),
        audience=audience,
        approved_by_id=by.id,
        approved_at=now,
    )
    note = f"{subject} {first_day}..{last_day} {audience}"
    staff.record(by=by, deed="approve_adverts", now=now, object_kind="approval", object_id=row.pk, note=note)
    return row


@transaction.atomic
def withdraw_approval(*, approval: Approval, by: Actor, now: datetime) -> None:
    """Stops what is queued, too: the approval is asked for at send time. Doing it twice changes nothing."""
    author = by.id if by.kind == "user" else None
    standing = Approval.objects.filter(pk=approval.pk, withdrawn_at=None)
    if standing.update(withdrawn_at=now, withdrawn_by_id=author):
        note = f"{approval.subject} withdrawn"
        staff.record(by=by, deed="approve_adverts", now=now, object_kind="approval", object_id=approval.pk, note=note)
