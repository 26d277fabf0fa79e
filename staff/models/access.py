from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from staff.models.clinic import Branch, Doctor


class Role(models.TextChoices):
    OWNER = "owner", _("owner")
    MANAGER = "manager", _("manager")
    MARKETER = "marketer", _("marketer")
    ADMINISTRATOR = "administrator", _("administrator")
    CURATOR = "curator", _("curator")
    DOCTOR = "doctor", _("doctor")
    INTEGRATION = "integration", _("integration")


class UserManager(BaseUserManager["User"]):
    def create_user(self, login: str, password: str | None = None, **fields: object) -> User:
        user = self.model(login=login, **fields)
        user.set_password(password)
        user.save()
        return user


class User(AbstractBaseUser):
    """A person who signs in. `branch` empty = all branches; a doctor's account points at the doctor."""

    login = models.CharField(max_length=60, unique=True)
    full_name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=32, blank=True)
    role = models.CharField(max_length=16, choices=Role.choices)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    doctor = models.OneToOneField(Doctor, models.SET_NULL, null=True, blank=True, related_name="user")
    language = models.CharField(max_length=2, default="ru")
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)  # the password was set by somebody else
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "login"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name", "role"]
    objects = UserManager()

    def __str__(self) -> str:
        return self.full_name or self.login

    def get_full_name(self) -> str:
        return self.full_name


class ApiKey(models.Model):
    """A key of another system. Only the digest is kept: what `create_api_key` prints is shown once.

    The text of a key is `prefix.secret`; `prefix` finds the row, `digest` = SHA-256 of the whole text.
    """

    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    role = models.CharField(max_length=16, choices=Role.choices)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    # What DRF and our own access table ask of "a user".
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None

    def __str__(self) -> str:
        return self.name
