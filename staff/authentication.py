"""API doors: key or signed-in person, one deed a method."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from staff.access import may
from staff.middleware import actor_of
from staff.models import ApiKey

LAST_USE_STEP = timedelta(minutes=1)  # one write a minute and key, not one a request


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <prefix>.<secret>`."""

    def authenticate(self, request: Request) -> tuple[ApiKey, ApiKey] | None:
        scheme, _space, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "api-key":
            return None
        key = ApiKey.objects.filter(prefix=text.strip().partition(".")[0][:16], revoked_at=None).first()
        digest = hashlib.sha256(text.strip().encode()).hexdigest()
        if key is None or not hmac.compare_digest(key.digest, digest):
            raise AuthenticationFailed(_("This API key is not valid."))
        now = timezone.now()
        if key.last_used_at is None or now - key.last_used_at > LAST_USE_STEP:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        request._request.actor = actor_of(key, request._request, "key")  # type: ignore[attr-defined]
        return key, key

    def authenticate_header(self, request: Request) -> str:
        return 'Api-Key realm="api"'


class StaffSession(SessionAuthentication):
    """The signed-in person's cookie, with CSRF checked."""

    def authenticate_header(self, request: Request) -> str:
        return 'Api-Key realm="api"'


class HasDeed(BasePermission):
    """Every API view names `deeds = {"GET": "read_api", ...}`; a method without a deed is closed."""

    def has_permission(self, request: Request, view: Any) -> bool:
        deeds: dict[str, str] = getattr(view, "deeds", {})
        method = "GET" if request.method in ("HEAD", "OPTIONS") else str(request.method)
        if not request.user or not request.user.is_authenticated:
            return False
        if method not in deeds:  # closed; where nothing answers it at all, the view itself says 405
            return not hasattr(view, method.lower())
        return may(request.user, deeds[method])


class KeyThrottle(SimpleRateThrottle):
    scope = "key"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        who = f"{type(request.user).__name__}-{request.user.pk}" if request.user else "anonymous"
        return self.cache_format % {"scope": self.scope, "ident": who}
