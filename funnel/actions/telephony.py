"""Lines of telephony and who sits at which extension."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from core.names import clean_text
from core.sealed import seal
from funnel.actions.doors import CodeTaken
from funnel.models import Call, Operator, TelephonyLine
from staff import actions as staff
from staff.access import Actor
from staff.actions.sources import source_named
from staff.models import Branch, Source, User
from staff.models.base import OWN_SOURCE

Kind = TelephonyLine.Kind


@transaction.atomic
def make_line(
    *,
    code: str,
    kind: str,
    by: Actor,
    now: datetime,
    branch: Branch | None = None,
    addresses: Sequence[str] = (),
    url: str = "",
    key: str = "",
    salt: str = "",
    token: str = "",
) -> tuple[TelephonyLine, str]:
    """A line, and the secret that is shown once ("" for Mango, whose key and salt are the account's own).

    With `url` it is asked for its calls from now on. One that was stopped comes back with what is given now. Raises
    CodeTaken for our own code and for a line that works.
    """
    source = source_named(code=code)
    line = TelephonyLine.objects.select_for_update().filter(source=source).first()
    if source.pk == OWN_SOURCE or (line is not None and line.is_active):
        raise CodeTaken(code)
    secret = "" if kind == Kind.MANGO else secrets.token_urlsafe(32)
    words = {"secret": secret, "key": key, "salt": salt, "token": token}
    line = line or TelephonyLine(source=source)
    line.kind, line.branch, line.addresses, line.created_at = kind, branch, list(addresses), now
    line.secret = seal(json.dumps(words).encode(), settings.SECRET_KEY)
    line.url = "" if kind == Kind.GENERIC else url
    line.polled_until = now if line.url else None
    line.is_active, line.fault, line.asked, line.asked_until = True, "", "", None
    line.save()
    staff.record(by=by, deed="make_telephony_line", now=now, object_kind="telephony_line", object_id=line.pk, note=code)
    return line, secret


@transaction.atomic
def stop_line(*, line: TelephonyLine, by: Actor, now: datetime) -> None:
    """Its events are refused and it is not asked from now on; a second time changes nothing."""
    if TelephonyLine.objects.filter(pk=line.pk, is_active=True).update(is_active=False):
        staff.record(by=by, deed="stop_telephony_line", now=now, object_kind="telephony_line", object_id=line.pk)


@transaction.atomic
def seat_operator(*, source: Source, extension: str, user: User, by: Actor, now: datetime) -> Operator:
    """Who sits there from now on; calls of that extension that are nobody's yet become theirs."""
    seat, _made = Operator.objects.update_or_create(
        source=source, extension=clean_text(extension)[:60], defaults={"user": user}
    )
    Call.objects.filter(source=source, extension=seat.extension, operator=None).update(operator=user)
    staff.record(by=by, deed="seat_operator", now=now, object_kind="user", object_id=user.pk, note=source.code)
    return seat


@transaction.atomic
def free_seat(*, seat: Operator, by: Actor, now: datetime) -> None:
    """Nobody sits there; calls that were taken keep who took them."""
    user_id = seat.user_id
    seat.delete()
    staff.record(by=by, deed="free_seat", now=now, object_kind="user", object_id=user_id)


__all__ = ["CodeTaken", "free_seat", "make_line", "seat_operator", "stop_line"]
