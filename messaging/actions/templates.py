"""What people do with texts and automations: edit, switch, choose a delay, send a trial to themselves."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db import transaction

from messaging.actions.plan import queue_message
from messaging.models import AutomationSetting, Message, Picture, Template
from messaging.queries.lint import findings
from messaging.rules import placeholders
from messaging.rules.lint import Finding
from messaging.rules.pictures import kind_of
from messaging.rules.placeholders import one_line
from messaging.rules.texts import Wording
from patients.models.contact import Purpose
from staff import actions as staff
from staff.access import Actor
from staff.models import User

TRIAL = timedelta(hours=1)


class BadText(ValueError):
    """The linter forbids the text."""

    def __init__(self, found: list[Finding]) -> None:
        super().__init__(", ".join(finding.code for finding in found))
        self.findings = [finding for finding in found if finding.is_error]


class NoAddress(Exception):
    """The person who wants a trial has no phone or e-mail in his profile."""


@transaction.atomic
def switch_automation(*, code: str, is_on: bool, by: Actor, now: datetime) -> None:
    """Switching off also stops what is queued already: it is asked at send time."""
    AutomationSetting.objects.update_or_create(code=code, defaults={"is_on": is_on, "updated_at": now})
    word = "on" if is_on else "off"
    staff.record(by=by, deed="edit_messages", now=now, object_kind="automation", note=f"{code}: {word}")


@transaction.atomic
def set_delay(*, code: str, minutes: int | None, by: Actor, now: datetime) -> None:
    """How long before or after its event an automation writes; None = as declared. What is queued stays."""
    AutomationSetting.objects.update_or_create(code=code, defaults={"delay_minutes": minutes, "updated_at": now})
    word = "as declared" if minutes is None else f"{minutes} min"
    staff.record(by=by, deed="edit_messages", now=now, object_kind="automation", note=f"{code}: {word}")


@transaction.atomic
def add_picture(*, content: bytes, now: datetime) -> Picture:
    """Raises `pictures.BadPicture`. The same picture twice is one."""
    key = hashlib.sha256(content).hexdigest()
    defaults = {"content": content, "content_type": kind_of(content), "added_at": now}
    return Picture.objects.get_or_create(hash=key, defaults=defaults)[0]


@transaction.atomic
def save_template(
    *,
    code: str,
    transport: str,
    language: str,
    body: str,
    by: Actor,
    now: datetime,
    subject: str = "",
    promotion: str = "",
    link: str = "",
    without_warning: str = "",
    picture: Picture | None = None,
    advertises: bool = False,
) -> Template:
    """Replace the text. Raises `placeholders.BadTemplate` for what is outside of the closed language, BadText for what
    the linter forbids: `advertises` = the text belongs to an automation that may advertise."""
    mail = transport == "email"
    shown = picture if mail else None
    words = Wording(
        body=body,
        subject=one_line(subject) if mail else "",
        promotion=promotion,
        link=link,
        without_warning=without_warning if advertises else "",
        picture=shown.pk if shown else "",
    )
    check(words, transport=transport, language=language, advertises=advertises)
    fields = {name: getattr(words, name) for name in ("body", "subject", "promotion", "link", "without_warning")}
    author = by.id if by.kind == "user" else None
    row, _made = Template.objects.update_or_create(
        code=code,
        transport=transport,
        language=language,
        defaults={**fields, "picture": shown, "updated_at": now, "updated_by_id": author},
    )
    staff.record(
        by=by,
        deed="edit_messages",
        now=now,
        object_kind="template",
        object_id=row.pk,
        fields=[name for name, value in fields.items() if value],
        note=f"{code} {transport} {language}",
    )
    return row


def check(words: Wording, *, transport: str, language: str, advertises: bool) -> None:
    """Raises BadTemplate or BadText."""
    whole = words.whole(transport) + words.warning(transport, language, advertises=advertises)
    placeholders.check(whole if words.body.strip() else "")
    if transport == "email":
        placeholders.check(words.subject)
    found = findings(words, transport=transport, language=language, advertises=advertises)
    if any(finding.is_error for finding in found):
        raise BadText(found)


@transaction.atomic
def reset_template(*, template: Template, by: Actor, now: datetime) -> None:
    """Back to the text that the product came with."""
    note = f"{template.code} {template.transport} {template.language}: default"
    pk = template.pk
    template.delete()
    staff.record(by=by, deed="edit_messages", now=now, object_kind="template", object_id=pk, note=note)


def address_of(user: User, transport: str) -> str:
    return {"sms": user.phone, "email": user.email}.get(transport, "")


@transaction.atomic
def send_trial(
    *, user: User, code: str, transport: str, text: str, subject: str, language: str, by: Actor, now: datetime
) -> Message:
    """The finished text to the user's own address, through the outbox like every message. Raises NoAddress."""
    address = address_of(user, transport)
    if not address:
        raise NoAddress
    row = queue_message(
        dedupe_key=f"trial:{user.pk}:{code}:{transport}:{language}:{now:%Y%m%d%H%M%S}",
        purpose=Purpose.SERVICE,
        transport=transport,
        address=address,
        text=text,
        subject=subject,
        language=language,
        tz="UTC",
        now=now,
        expires_at=now + TRIAL,
        user=user,
        urgent=True,
    )
    Message.objects.filter(pk=row.pk).update(template=code)  # so that an e-mail shows its picture
    staff.record(by=by, deed="edit_messages", now=now, object_kind="message", object_id=row.pk, note=f"trial of {code}")
    return row
