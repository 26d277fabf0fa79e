"""Whose phone is this: a code by SMS. Counted by phone and by address, so that nobody is written to over and over."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from funnel.models import PhoneCode
from funnel.rules.booking import (
    CODE_AGAIN,
    CODE_GOOD,
    CODE_TEXT,
    CODE_TRIES,
    CODES_OF_ADDRESS,
    CODES_OF_PHONE,
    code_digest,
    code_fits,
    new_code,
    said,
)
from messaging.actions.codes import queue_code


class TooManyCodes(Exception):
    """Enough codes went to this phone, or were asked for from this address. `seconds`: when one more may be asked for."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too many codes")
        self.seconds = seconds


@transaction.atomic
def send_code(*, phone: str, address: str, language: str, now: datetime) -> PhoneCode:
    """A new code to `phone` (E.164). Raises TooManyCodes."""
    _require_modest(phone, address, now)
    code = new_code()
    row = PhoneCode.objects.create(
        phone=phone,
        address=address[:64],
        digest=code_digest(code, phone=phone, at=now, secret=settings.SECRET_KEY),
        created_at=now,
        expires_at=now + CODE_GOOD,
    )
    text = said(CODE_TEXT, language).format(code=code)
    queue_code(key=str(row.pk), phone=phone, text=text, language=language, now=now, expires_at=row.expires_at)
    return row


def _require_modest(phone: str, address: str, now: datetime) -> None:
    day = now - timedelta(days=1)
    mine = list(
        PhoneCode.objects.filter(phone=phone, created_at__gt=day)
        .order_by("-created_at")
        .values_list("created_at", flat=True)
    )
    if mine and now - mine[0] < CODE_AGAIN:
        raise TooManyCodes(int((CODE_AGAIN - (now - mine[0])).total_seconds()) + 1)
    near = PhoneCode.objects.filter(address=address[:64], created_at__gt=day).count()
    if len(mine) >= CODES_OF_PHONE or near >= CODES_OF_ADDRESS:
        raise TooManyCodes(24 * 3600)


def try_code(*, code: PhoneCode, typed: str, now: datetime) -> bool:
    """Whether these are the digits. Each try counts before it is looked at; a right one uses the code up.

    Not inside another transaction that may be undone: a wrong guess must stay counted.
    """
    still = PhoneCode.objects.filter(pk=code.pk, used_at=None, expires_at__gt=now, tries__lt=CODE_TRIES)
    if not still.update(tries=F("tries") + 1):
        return False
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not code_fits(typed, code.digest, phone=code.phone, at=code.created_at, secrets_in_force=secrets):
        return False
    return bool(PhoneCode.objects.filter(pk=code.pk, used_at=None).update(used_at=now))
