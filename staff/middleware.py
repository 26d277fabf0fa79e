"""Doors are closed unless they name a deed; who acts is worked out once a request."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from core.logs import request_id
from core.net import class_of, client_ip
from staff.access import SECOND_STEP, Actor, may
from staff.rules.kept import forget, keep

SAFE_ID = re.compile(r"^[\w.-]{8,64}$")
SEEN_STEP = 60  # seconds: one write of the session a minute, not one a request
UNLOCK, CHECK, SET_UP, PASSWORD = (
    "staff:unlock",
    "staff:second_step",
    "staff:set_up_second_step",
    "staff:password",
)
SEEN, SINCE, LOCKED, ASKED = "seen", "since", "locked", "second_step"
Next = Callable[[HttpRequest], HttpResponse]


def address_of(request: HttpRequest) -> str:
    return client_ip(request.META, settings.TRUSTED_PROXIES)


def axes_ip(request: HttpRequest) -> str:
    return class_of(address_of(request))


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
    """Enforces the deed that a page names (`@needs`, `@public`); a page without one is closed to everybody.

    Also ends a session at its absolute limit, locks it when nobody touched it for IDLE_LOCK_SECONDS, and leads to
    what is still open: second step, own password, unlocking.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            watch(request)
        user = request.user
        signed_in = user.is_authenticated
        request.actor = actor_of(user, request) if signed_in else None  # type: ignore[attr-defined]
        response = self.get_response(request)
        if signed_in:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        deed = deed_of(view)
        if deed == "public":
            return None
        unfinished = unfinished_page(request) if request.user.is_authenticated else ""
        if deed == "api":
            if unfinished:  # a locked or half signed-in session is nobody to the API
                request.user, request.actor = AnonymousUser(), None  # type: ignore[attr-defined]
            return None
        if not request.user.is_authenticated:
            return to_page(request, settings.LOGIN_URL)
        if unfinished and unfinished not in getattr(view, "early", ()):
            if unfinished == UNLOCK and not hasattr(view, "early"):
                keep_form(request)
            return to_page(request, reverse(unfinished))
        if request.method == "POST":
            forget(request.session, request.get_full_path())
        if deed is None or not may(request.user, deed):
            return render(request, "403.html", status=403)
        return None


def watch(request: HttpRequest) -> None:
    """Keeps the clock of the session. A page that asks by itself says so (`X-Poll`) and keeps nothing awake."""
    now, session = int(time.time()), request.session
    since = session.setdefault(SINCE, now)
    if now - since > settings.SESSION_COOKIE_AGE:
        logout(request)
        return
    idle = now - session.get(SEEN, now)
    if idle > settings.IDLE_LOCK_SECONDS:
        session[LOCKED] = True
    elif "X-Poll" not in request.headers and (
        SEEN not in session or idle > min(SEEN_STEP, settings.IDLE_LOCK_SECONDS / 10)
    ):
        session[SEEN] = now


def unfinished_page(request: HttpRequest) -> str:
    """URL name of what the signed-in person has to do before anything else; empty when he may work."""
    session, user = request.session, request.user
    if session.get(LOCKED):
        return UNLOCK
    if not user.is_verified():  # type: ignore[union-attr]
        if session.get(ASKED) == "check":
            return CHECK
        if settings.REQUIRE_TOTP and user.role in SECOND_STEP:  # type: ignore[union-attr]
            return SET_UP
    return PASSWORD if user.must_change_password else ""  # type: ignore[union-attr]


def keep_form(request: HttpRequest) -> None:
    """A form sent on a locked screen is not lost: it waits in the session, on the server, for the same person."""
    if request.method == "POST" and not request.headers.get("HX-Request"):
        keep(
            request.session,
            address=request.get_full_path(),
            back=came_from(request),
            fields=request.POST.lists(),
            files=bool(request.FILES),
            now=int(time.time()),
        )


def came_from(request: HttpRequest) -> str:
    came = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    return f"{came.path}?{came.query}" if came.query else came.path or "/"


def to_page(request: HttpRequest, page: str) -> HttpResponse:
    """To `page` and back afterwards: after a POST to the page that it came from, since a form is not sent twice."""
    back = request.get_full_path()
    if request.method != "GET" or request.headers.get("HX-Request"):
        back = came_from(request)
    url = f"{page}?{urlencode({'next': back})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url) if page != settings.LOGIN_URL else redirect_to_login(back)


def deed_of(view: Any) -> str | None:
    """The deed of a URL's view: our mark, or "api" for DRF views, which check their own (`HasDeed`)."""
    if hasattr(view, "deed"):
        return str(view.deed)
    if hasattr(view, "cls") and (hasattr(view.cls, "deeds")):
        return "api"
    return None
