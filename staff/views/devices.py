"""Which accounts were signed in from this browser before: a signed cookie, so that strangers' tries do not shut it out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from staff.models import User

SALT = "staff.devices"
DAYS_90 = 90 * 24 * 3600
MOST = 12  # people at one desk computer


def _name(request: HttpRequest) -> str:
    return "__Host-device" if request.is_secure() else "device"


def devices_of(request: HttpRequest) -> list[int]:
    """Users that signed in here during the last 90 days, newest first. A forged or old cookie is none."""
    text = request.get_signed_cookie(_name(request), "", salt=SALT, max_age=DAYS_90) or ""
    return [int(part) for part in text.split(".") if part.isdecimal()]


def remember(request: HttpRequest, response: HttpResponse, user: User) -> HttpResponse:
    kept = [user.pk, *(one for one in devices_of(request) if one != user.pk)][:MOST]
    response.set_signed_cookie(
        _name(request),
        ".".join(map(str, kept)),
        salt=SALT,
        max_age=DAYS_90,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response
