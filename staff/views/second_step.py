"""The second step of signing in: a code from the phone. Its key and the recovery codes are shown once."""

from __future__ import annotations

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp import login as otp_login

from staff.access import Actor, early, needs
from staff.actions.second_step import (
    Device,
    begin_second_step,
    check_second_step,
    confirm_second_step,
    renew_recovery_codes,
)
from staff.forms.login import CodeForm
from staff.middleware import ASKED, CHECK, SET_UP
from staff.models import CodeDevice, User
from staff.views.login import safe_next, see_other


def picture_of(device: CodeDevice) -> SafeString:
    """The key as a QR code: SVG inside the page, so that no address carries it."""
    code = segno.make(device.config_url, error="m")
    return mark_safe(code.svg_inline(scale=5, border=4, dark="#000", light="#fff", svgclass="", lineclass=""))  # noqa: S308


def _passed(request: HttpRequest, device: Device) -> None:
    """The session is signed in with both steps now; it gets a new number."""
    otp_login(request, device)
    request.session.pop(ASKED, None)
    request.session.cycle_key()


def _user(request: HttpRequest) -> User:
    return User.objects.get(login=request.user.get_username())


def _has_app(request: HttpRequest) -> bool:
    return bool(CodeDevice.objects.filter(user_id=request.user.pk, confirmed=True).exists())


@early(CHECK, SET_UP)
@needs("use_product")
@never_cache
@require_http_methods(["GET", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Asks for the code of a device that was set up before."""
    if request.session.get(ASKED) != "check" and not _has_app(request):
        return redirect("staff:set_up_second_step")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = check_second_step(user=_user(request), code=form.cleaned_data["code"])
        if device is not None:
            _passed(request, device)
            return see_other(safe_next(request))
        form.add_error("code", _("This code is not right or was used already. Wait for the next one."))
    status = 422 if request.method == "POST" else 200
    return render(request, "staff/second_step.html", {"form": form, "next": safe_next(request, "")}, status=status)


@early(CHECK, SET_UP)
@needs("use_product")
@never_cache
@require_http_methods(["GET", "POST"])
def set_up_second_step(request: HttpRequest) -> HttpResponse:
    """Press the button, scan the picture, type the first code. Whoever has a device must have passed it."""
    if not request.user.is_verified() and _has_app(request):  # type: ignore[union-attr]
        return redirect("staff:second_step")
    if request.method == "GET":
        return render(request, "staff/second_step_setup.html", {"form": None})
    if "begin" in request.POST:
        device = begin_second_step(user=_user(request))
        page = {"form": CodeForm(), "picture": picture_of(device), "key": device.typed_key}
        return render(request, "staff/second_step_setup.html", page)
    return _confirm(request)


def _confirm(request: HttpRequest) -> HttpResponse:
    form, by = CodeForm(request.POST), _actor(request)
    if form.is_valid():
        made = confirm_second_step(user=_user(request), code=form.cleaned_data["code"], by=by, now=timezone.now())
        if made is not None:
            device, codes = made
            _passed(request, device)
            return render(request, "staff/recovery_codes.html", {"codes": codes, "next": safe_next(request)})
        form.add_error("code", _("This code is not right. Wait for the next one, or start again with a new picture."))
    return render(request, "staff/second_step_setup.html", {"form": form}, status=422)


def _actor(request: HttpRequest) -> Actor:
    by: Actor = request.actor  # type: ignore[attr-defined]
    return by


@needs("use_product")
@never_cache
@require_http_methods(["GET", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Ten new recovery codes for a code of the app."""
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = renew_recovery_codes(
            user=_user(request), code=form.cleaned_data["code"], by=_actor(request), now=timezone.now()
        )
        if codes is not None:
            return render(request, "staff/recovery_codes.html", {"codes": codes, "next": "/profile/"})
        form.add_error("code", _("This code is not right or was used already. Wait for the next one."))
    status = 422 if request.method == "POST" else 200
    return render(request, "staff/recovery_renew.html", {"form": form}, status=status)
