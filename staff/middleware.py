"""Doors are closed unless they name a deed; who acts is worked out once a request."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.logs import request_id
from core.net import client_ip
from staff.access import Actor, may

SAFE_ID = re.compile(r"^[\w.-]{8,64}$")
Next = Callable[[HttpRequest], HttpResponse]


def address_of(request: HttpRequest) -> str:
    return client_ip(request.META, settings.TRUSTED_PROXIES)


def axes_ip(request: HttpRequest) -> str:
    return address_of(request)


def actor_of(person: Any, request: HttpRequest, kind: str = "user") -> Actor:
    """The Actor that actions and the audit log get for this user or API key."""
    return Actor(
        kind=kind,
        id=person.pk,
        name=str(person),
        role=person.role,
        branch_id=person.branch_id,
        address=address_of(request),
        request_id=request_id.get(),
    )


class RequestIdMiddleware:
    """Takes X-Request-ID (if it is harmless) or makes one; it stands in logs, audit and the answer."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        token = request_id.set(given if SAFE_ID.match(given) else uuid.uuid4().hex)
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = request_id.get()
            return response
        finally:
            request_id.reset(token)


class StaffMiddleware:
    """Enforces the deed that a page names (`@needs`, `@public`); a page without one is closed to everybody."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        request.actor = actor_of(user, request) if user.is_authenticated else None  # type: ignore[attr-defined]
        response = self.get_response(request)
        if user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        deed = deed_of(view)
        if deed in ("public", "api"):
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if deed is None or not may(request.user, deed):
            return render(request, "403.html", status=403)
        return None


def deed_of(view: Any) -> str | None:
    """The deed of a URL's view: our mark, or "api" for DRF views, which check their own (`HasDeed`)."""
    if hasattr(view, "deed"):
        return str(view.deed)
    if hasattr(view, "cls") and (hasattr(view.cls, "deeds")):
        return "api"
    return None
