"""The public doors themselves: forms and their words, sources that post signed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from core.names import clean_text
from core.sealed import seal
from funnel.models import LeadForm, LeadHook
from patients.models import Channel, ConsentText
from staff import actions as staff
from staff.access import Actor
from staff.actions.sources import source_named
from staff.models import Branch, Source
from staff.models.base import OWN_SOURCE


class CodeTaken(ValueError):
    """Another form, or another system, has this code."""


@dataclass(frozen=True)
class Words:
    """What is agreed to, word for word."""

    purpose: str
    language: str
    body: str


@dataclass(frozen=True)
class FormDraft:
    """A form as it is to be; `sites` are origins, `words` one a purpose and language."""

    code: str
    name: str
    words: tuple[Words, ...]
    title: str = ""
    thanks: str = ""
    branch: Branch | None = None
    channel: Channel | None = None
    sites: tuple[str, ...] = ()
    asks_email: bool = False
    asks_text: bool = True
    is_active: bool = True


@transaction.atomic
def save_form(*, draft: FormDraft, form: LeadForm | None = None, by: Actor, now: datetime) -> LeadForm:
    """Make or change a form. Its code stays: it stands on sites. Changed words are a new version. Raises CodeTaken."""
    found = form or LeadForm(code=draft.code)
    names = ("name", "title", "thanks", "branch", "channel", "asks_email", "asks_text", "is_active")
    for name in names:
        setattr(found, name, getattr(draft, name))
    found.sites = list(draft.sites)
    try:
        with transaction.atomic():
            found.save()
    except IntegrityError as error:
        raise CodeTaken(draft.code) from error
    found.texts.set(keep_words(words=draft.words, by=by, now=now))
    deed = "make_lead_form" if form is None else "edit_lead_form"
    staff.record(
        by=by, deed=deed, now=now, object_kind="lead_form", object_id=found.pk, fields=(*names, "sites", "texts")
    )
    return found


def keep_words(*, words: Iterable[Words], by: Actor, now: datetime) -> list[ConsentText]:
    """The rows of these words, made where they are new. The version is the beginning of the hash: same words, same row."""
    wanted = [
        ConsentText(
            purpose=one.purpose,
            language=one.language,
            version=f"sha-{digest[:16]}",
            body=one.body,
            hash=digest,
            created_at=now,
            created_by_id=by.id if by.kind == "user" else None,
        )
        for one in words
        if one.body and (digest := hashlib.sha256(one.body.encode()).hexdigest())
    ]
    ConsentText.objects.bulk_create(wanted, ignore_conflicts=True)
    keys = {(text.purpose, text.language, text.version) for text in wanted}
    found = ConsentText.objects.filter(version__in=[text.version for text in wanted]).order_by("id")
    return [text for text in found if (text.purpose, text.language, text.version) in keys]


@transaction.atomic
def make_hook(
    *, code: str, name: str, branch: Branch | None, channel: Channel | None, by: Actor, now: datetime
) -> tuple[LeadHook, str]:
    """A source that posts signed, and its secret: shown once. A revoked one comes back with a new secret.

    Raises CodeTaken for our own code and for a source that posts already.
    """
    source = source_named(code=code)
    hook = LeadHook.objects.select_for_update().filter(source=source).first()
    if source.pk == OWN_SOURCE or (hook is not None and hook.revoked_at is None):
        raise CodeTaken(code)
    if name and not source.name:
        Source.objects.filter(pk=source.pk).update(name=clean_text(name)[:120])
    secret = secrets.token_urlsafe(32)
    hook = hook or LeadHook(source=source)
    hook.secret, hook.branch, hook.channel = seal(secret.encode(), settings.SECRET_KEY), branch, channel
    hook.created_at, hook.created_by_id, hook.revoked_at = now, by.id if by.kind == "user" else None, None
    hook.save()
    staff.record(by=by, deed="make_lead_hook", now=now, object_kind="lead_hook", object_id=hook.pk, note=source.code)
    return hook, secret


@transaction.atomic
def revoke_hook(*, hook: LeadHook, by: Actor, now: datetime) -> None:
    """Its posts are refused from now on; a second time changes nothing."""
    if LeadHook.objects.filter(pk=hook.pk, revoked_at=None).update(revoked_at=now):
        staff.record(by=by, deed="revoke_lead_hook", now=now, object_kind="lead_hook", object_id=hook.pk)
