"""Keys of other systems."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from core.names import new_code
from staff.access import Actor
from staff.actions.audit import record
from staff.actions.people import NotAllowed
from staff.models import ApiKey, Branch
from staff.rules.roles import reaches


class NameTaken(Exception):
    """A live key has this name already."""


@transaction.atomic
def make_key(*, name: str, role: str, branch: Branch | None, by: Actor, now: datetime) -> tuple[ApiKey, str]:
    """A new key and its text `prefix.secret` (256 random bits), which nobody sees again: only its digest is kept.

    Raises NameTaken, NotAllowed when the role stands above the actor's own or the branch is not his.
    """
    if not reaches(by, role) or (by.branch_id is not None and (branch is None or branch.pk != by.branch_id)):
        raise NotAllowed(_("Nobody can give a role above his own."))
    if ApiKey.objects.filter(name=name, revoked_at=None).exists():
        raise NameTaken(_("A live key has this name already."))
    prefix = new_code()
    text = f"{prefix}.{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        role=role,
        branch=branch,
        created_at=now,
        created_by_id=by.id if by.kind == "user" else None,
    )
    record(by=by, deed="make_key", now=now, object_kind="api_key", object_id=key.pk, note=role)
    return key, text


@transaction.atomic
def revoke_key(*, key_id: int, by: Actor, now: datetime) -> ApiKey:
    """The key stops working with the next request. Revoking it again changes nothing."""
    key = ApiKey.objects.select_for_update().get(pk=key_id)
    if key.revoked_at is None:
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        record(by=by, deed="revoke_key", now=now, object_kind="api_key", object_id=key.pk)
    return key
