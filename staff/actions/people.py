"""Accounts: made, changed, closed, given a new password."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils.translation import gettext as _

from staff.access import OWNER, Actor
from staff.actions.audit import record
from staff.models import CodeDevice, RecoveryCodes, User
from staff.rules.roles import reaches

LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
FIELDS = ("login", "full_name", "email", "phone", "role", "branch_id", "doctor_id", "language", "is_active")


class NotAllowed(Exception):
    """The account stands above the actor's own role, or belongs to another branch."""


class LastOwner(Exception):
    """The clinic would be left without an owner who can sign in."""


def new_password() -> str:
    """Sixteen letters and digits, 92 random bits."""
    return "".join(secrets.choice(LETTERS) for _ in range(16))


def _check(by: Actor, role: str, branch_id: int | None) -> None:
    if not reaches(by, role):
        raise NotAllowed(_("Nobody can give a role above his own."))
    if by.branch_id is not None and branch_id != by.branch_id:
        raise NotAllowed(_("This account belongs to another branch."))


@transaction.atomic
def add_user(*, fields: Mapping[str, Any], by: Actor, now: datetime, password: str = "") -> tuple[User, str]:
    """A new account with a first password that its owner has to change. Answers both; the password is kept nowhere.

    Raises NotAllowed, IntegrityError for a taken login or doctor, ValidationError for a weak given password.
    """
    values = {name: fields[name] for name in FIELDS if name in fields}
    _check(by, values["role"], values.get("branch_id"))
    user = User(**{**values, "login": values["login"].strip().lower(), "must_change_password": not password})
    if password:
        validate_password(password, user)
    first = password or new_password()
    user.set_password(first)
    user.save(force_insert=True)
    record(by=by, deed="add_user", now=now, object_kind="user", object_id=user.pk, fields=sorted(values))
    return user, first


def _locked(user_id: int, by: Actor) -> User:
    user = User.objects.select_for_update(of=("self",)).get(pk=user_id)
    _check(by, user.role, user.branch_id)
    return user


def _keep_an_owner(user: User, role: str, is_active: bool) -> None:
    """Danger: two owners who close each other's account at once; so all owners are locked, in order of id."""
    if user.role != OWNER or not user.is_active or (role == OWNER and is_active):
        return
    owners = list(User.objects.select_for_update(of=("self",)).filter(role=OWNER, is_active=True).order_by("id"))
    if all(owner.pk == user.pk for owner in owners):
        raise LastOwner(_("The clinic needs at least one owner who can sign in."))


@transaction.atomic
def change_user(*, user_id: int, fields: Mapping[str, Any], by: Actor, now: datetime) -> User:
    """Changes an account. Raises NotAllowed, LastOwner, IntegrityError for a taken login or doctor.

    Closing it (`is_active` False) ends its sessions with the next request.
    """
    user = _locked(user_id, by)
    values = {name: fields[name] for name in FIELDS if name in fields and getattr(user, name) != fields[name]}
    role, active = values.get("role", user.role), values.get("is_active", user.is_active)
    _check(by, role, values.get("branch_id", user.branch_id))
    if by.kind == "user" and by.id == user.pk and {"role", "is_active", "branch_id"} & set(values):
        raise NotAllowed(_("Nobody changes his own role, branch or access."))
    _keep_an_owner(user, role, active)
    for name, value in values.items():
        setattr(user, name, value)
    if values:
        user.save(update_fields=sorted(values))
        record(by=by, deed="change_user", now=now, object_kind="user", object_id=user.pk, fields=sorted(values))
    return user


@transaction.atomic
def reset_password(*, user_id: int, by: Actor, now: datetime) -> str:
    """A new first password for somebody who forgot his; ends his sessions. Raises NotAllowed."""
    user = _locked(user_id, by)
    password = new_password()
    user.set_password(password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    record(by=by, deed="reset_password", now=now, object_kind="user", object_id=user.pk)
    return password


@transaction.atomic
def change_own_password(*, user: User, password: str, by: Actor, now: datetime) -> None:
    """The person's own new password (already checked by the form); ends his other sessions."""
    user.set_password(password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    record(by=by, deed="change_own_password", now=now, object_kind="user", object_id=user.pk)


@transaction.atomic
def reset_second_step(*, user_id: int, by: Actor, now: datetime) -> None:
    """Forgets the person's app and recovery codes, for a lost phone. Raises NotAllowed."""
    user = _locked(user_id, by)
    CodeDevice.objects.filter(user=user).delete()
    RecoveryCodes.objects.filter(user=user).delete()
    record(by=by, deed="reset_second_step", now=now, object_kind="user", object_id=user.pk)
