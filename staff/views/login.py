"""In, out, and the lock of a screen that was left alone."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from core.net import class_of
from staff import actions
from staff.access import Actor, early, needs, public
from staff.forms.login import SignInForm, UnlockForm
from staff.middleware import (
    ASKED,
    CHECK,
    LOCKED,
    PASSWORD,
    SEEN,
    SET_UP,
    SINCE,
    UNLOCK,
    actor_of,
    address_of,
)
from staff.models import CodeDevice, User
from staff.queries.failures import too_many_failures
from staff.queries.people import user_id_of
from staff.rules.kept import forget, kept_form
from staff.views.devices import devices_of, remember


def safe_next(request: HttpRequest, default: str = "/") -> str:
    """Where to go afterwards: `next` if it is an address of ours, else `default`."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours else default


def see_other(url: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(url, status=303)


@public
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated and request.method == "GET":
        return redirect(safe_next(request))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["username"]
        if must_wait(request, name):  # said before the password is looked at, in the same words for every name
            return locked_out(request)
        user = authenticate(request, **form.cleaned_data)
        if isinstance(user, User):
            _begin_session(request, user)
            return remember(request, see_other(safe_next(request)), user)
        _note_failure(request, name)
        form.add_error(None, _("No such login with this password."))
    status = 422 if request.method == "POST" else 200
    return render(request, "staff/sign_in.html", {"form": form, "next": safe_next(request, "")}, status=status)


def _begin_session(request: HttpRequest, user: User) -> None:
    """A new session with its own number; what has to follow (second step) is kept in it."""
    login(request, user)
    request.session[SINCE] = request.session[SEEN] = int(time.time())
    if CodeDevice.objects.filter(user=user, confirmed=True).exists():
        request.session[ASKED] = "check"
    actions.record(
        by=actor_of(user, request), deed="sign_in", now=timezone.now(), object_kind="user", object_id=user.pk
    )


def must_wait(request: HttpRequest, name: str) -> bool:
    """Whether too many wrong passwords came from here or for this name, and this browser is new to the name.

    A browser that the person has signed in from before is not held up by strangers: nobody can lock a colleague out.
    What it may still do is five tries (axes).
    """
    known = user_id_of(name) in devices_of(request)
    address = class_of(address_of(request))
    return not known and too_many_failures(name=name, address=address, now=timezone.now())


def _note_failure(request: HttpRequest, name: str) -> None:
    if getattr(request, "axes_locked_out", False):  # the lock-out itself stands in the log already
        return
    nobody = Actor(kind="system", id=None, name="-", address=address_of(request), request_id=_id(request))
    now = timezone.now()
    actions.record(by=nobody, deed="sign_in_failed", now=now, object_kind="user", object_id=user_id_of(name))


def _id(request: HttpRequest) -> str:
    return str(request.headers.get("X-Request-ID", ""))[:64]


@early(UNLOCK, CHECK, SET_UP, PASSWORD)
@needs("use_product")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    by: Actor = request.actor  # type: ignore[attr-defined]
    actions.record(by=by, deed="sign_out", now=timezone.now(), object_kind="user", object_id=by.id)
    logout(request)
    response = see_other("/login/")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'  # nothing of a patient is left for the back button
    return response


@early(UNLOCK)
@needs("use_product")
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def unlock(request: HttpRequest) -> HttpResponse:
    """The screen was left alone: the same person gives his password, and the session goes on."""
    form = UnlockForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name = request.user.get_username()
        user = authenticate(request, username=name, password=form.cleaned_data["password"])
        if user is not None and user.pk == request.user.pk:
            request.session.pop(LOCKED, None)
            request.session[SEEN] = int(time.time())
            waits = kept_form(request.session, int(time.time()))
            return see_other(reverse("staff:send_again") if waits else safe_next(request))
        _note_failure(request, name)
        form.add_error("password", _("The password is not right."))
    page = {"form": form, "next": safe_next(request, ""), "waits": kept_form(request.session, int(time.time()))}
    return render(request, "staff/unlock.html", page, status=422 if request.method == "POST" else 200)


@needs("use_product")
@never_cache
@require_http_methods(["GET", "POST"])
def send_again(request: HttpRequest) -> HttpResponse:
    """What was sent on the locked screen: one press sends it to where it was going, or it is thrown away (POST)."""
    waits = kept_form(request.session, int(time.time()))
    if request.method == "POST" or waits is None:
        forget(request.session)
        return see_other(waits["back"] if waits else "/")
    return render(request, "staff/send_again.html", {"waits": waits})


@public
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "staff/csrf.html", status=403)


@public
def locked_out(request: HttpRequest, response: Any = None, credentials: Any = None) -> HttpResponse:
    """Too many wrong passwords from this address or for this login. The same words whether the login exists or not."""
    answer = render(request, "staff/locked_out.html", status=429)
    answer.headers["Retry-After"] = "900"
    return answer
