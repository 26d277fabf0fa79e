"""Chats of patients: linked with a one-time code by the patient himself, let go by him, by us, or by a block."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from messaging.actions.plan import queue_message
from messaging.actions.wake import wake_on_commit
from messaging.models import Suppression, TelegramChat, TelegramCode
from messaging.queries.reached import reach_of
from patients.models import Patient
from patients.models.contact import Purpose
from staff import actions as staff
from staff.access import Actor
from staff.models import Clinic

VALID = timedelta(hours=24)
LONGEST_CODE = 64  # of Telegram's `start` parameter


class BadCode(Exception):
    """Never made, used up, or too old."""


class NowhereToSend(Exception):
    """There is no phone and no mail to which the link could be sent."""


def link_of(code: str) -> str:
    """What opens the bot with that code."""
    return f"https://t.me/{settings.TELEGRAM_BOT_NAME}?start={code}"


@transaction.atomic
def make_code(*, patient: Patient, by: Actor, now: datetime) -> str:
    """A one-time code, good for a day. It is told once: only its hash is kept. Earlier ones of the patient end."""
    root = patient.canonical or patient
    TelegramCode.objects.filter(patient=root, used_at=None).update(expires_at=now)
    code = secrets.token_urlsafe(16)
    TelegramCode.objects.create(code_hash=_hash(code), patient=root, expires_at=now + VALID)
    staff.record(
        by=by,
        deed="link_telegram",
        now=now,
        object_kind="patient",
        object_id=root.pk,
        patient_id=root.pk,
        note="code made",
    )
    return code


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


@staff.one_deed()
def send_code(*, patient: Patient, by: Actor, now: datetime) -> str:
    """The link as a service message by SMS, else by e-mail. Returns the transport. Raises NowhereToSend."""
    root = patient.canonical or patient
    reach = reach_of([root.pk], now=now)[root.pk]
    transport = next((name for name in ("sms", "email") if reach.addresses.get(name)), "")
    if not transport:
        raise NowhereToSend
    code = make_code(patient=root, by=by, now=now)
    with override(reach.language):
        text = _("Messages of the clinic in Telegram: %(link)s (the link works once, for one day).")
        subject = _("Messages in Telegram") if transport == "email" else ""
    queue_message(
        dedupe_key=f"telegram:code:{_hash(code)[:40]}",
        purpose=Purpose.SERVICE,
        transport=transport,
        address=reach.addresses[transport] or "",
        text=text % {"link": link_of(code)},
        subject=subject,
        language=reach.language,
        tz=reach.tz,
        now=now,
        expires_at=now + VALID,
        patient=root,
    )
    wake_on_commit(transport)
    return transport


@staff.one_deed()
def link_chat(*, code: str, chat_id: int, by: Actor, now: datetime) -> TelegramChat:
    """The chat that knows the code is the patient's. The same code from the same chat again changes nothing.

    One chat may be of several patients, a patient has one chat: a new one takes its place. Raises BadCode.
    """
    row = TelegramCode.objects.select_for_update().filter(code_hash=_hash(code[:LONGEST_CODE])).first()
    if row is None:
        raise BadCode
    patient = row.patient.canonical or row.patient
    known = TelegramChat.objects.filter(patient=patient, chat_id=chat_id, unlinked_at=None).first()
    if row.used_at is not None or row.expires_at <= now:
        if known is not None and row.used_at is not None:  # the update came twice
            return known
        raise BadCode
    row.used_at = now
    row.save(update_fields=["used_at"])
    if known is None:
        TelegramChat.objects.filter(patient=patient, unlinked_at=None).update(unlinked_at=now)
        known = TelegramChat.objects.create(patient=patient, chat_id=chat_id, linked_at=now)
    _open_again(chat_id, by, now)
    _greet(patient, known, now)
    _trace(patient.pk, "linked", by, now)
    return known


def _open_again(chat_id: int, by: Actor, now: datetime) -> None:
    """He came back himself: that he had blocked the bot is over. What he unsubscribed from stays so."""
    blocked = (Suppression.Kind.BLOCKED, Suppression.Kind.BOUNCED)
    rows = Suppression.objects.filter(transport="telegram", address=str(chat_id), kind__in=blocked, lifted_at=None)
    if rows.update(lifted_at=now):
        staff.record(by=by, deed="suppress_addresses", now=now, object_kind="suppression", note="lifted: linked anew")


def _greet(patient: Patient, chat: TelegramChat, now: datetime) -> None:
    """Says nothing about him: whoever holds the phone reads it."""
    language = patient.language or settings.LANGUAGE_CODE
    clinic = Clinic.objects.filter(pk=1).values_list("name", flat=True).first() or ""
    with override(language):
        text = _("Messages of the clinic %(clinic)s will come here. To stop them, send /stop.") % {"clinic": clinic}
    queue_message(
        dedupe_key=f"telegram:hello:{chat.pk}",
        purpose=Purpose.SERVICE,
        transport="telegram",
        address=str(chat.chat_id),
        text=text,
        language=language,
        tz=patient.tz or patient.branch.tz,
        now=now,
        expires_at=now + timedelta(hours=1),
        patient=patient,
        urgent=True,  # he has just pressed the button
    )
    wake_on_commit("telegram")


@staff.one_deed()
def let_go(*, chat_id: int, by: Actor, now: datetime, blocked: bool = False) -> bool:
    """No more messages to this chat, whoever's it was. `blocked`: the user has shut the bot out. Whether it was linked."""
    chats = TelegramChat.objects.select_for_update().filter(chat_id=chat_id, unlinked_at=None)
    patients = list(chats.values_list("patient_id", flat=True))
    TelegramChat.objects.filter(chat_id=chat_id, unlinked_at=None).update(unlinked_at=now)
    for patient_id in patients:
        _trace(patient_id, "blocked by the user" if blocked else "stopped by the user", by, now)
    return bool(patients)


@transaction.atomic
def unlink(*, patient: Patient, by: Actor, now: datetime) -> None:
    """Decided at the desk: the chat is not his, or he asked for it. Codes that are under way end, too."""
    root = patient.canonical or patient
    TelegramCode.objects.filter(patient=root, used_at=None).update(expires_at=now)
    if TelegramChat.objects.filter(patient=root, unlinked_at=None).update(unlinked_at=now):
        _trace(root.pk, "unlinked", by, now)


def _trace(patient_id: int, note: str, by: Actor, now: datetime) -> None:
    staff.record(
        by=by,
        deed="link_telegram",
        now=now,
        object_kind="patient",
        object_id=patient_id,
        patient_id=patient_id,
        note=note,
    )
