"""What everybody does for himself: colours, own account, own password."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from staff.access import early, needs, public
from staff.actions.people import change_own_password
from staff.forms.login import PasswordForm
from staff.middleware import PASSWORD
from staff.models import User
from staff.queries.people import visible_users
from staff.views.login import safe_next, see_other

YEAR = 365 * 24 * 3600


@public
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the system says (anything else): kept in a cookie, as the script does."""
    response = see_other(safe_next(request))
    wanted = request.POST.get("theme", "")
    if wanted in ("light", "dark"):
        response.set_cookie("theme", wanted, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response


@needs("use_product")
@require_safe
def profile(request: HttpRequest) -> HttpResponse:
    user = visible_users(request.actor).get(login=request.user.get_username())  # type: ignore[attr-defined]
    return render(request, "staff/profile.html", {"person": user})


@early(PASSWORD)
@needs("use_product")
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    user = User.objects.get(login=request.user.get_username())
    form = PasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        by = request.actor  # type: ignore[attr-defined]
        change_own_password(user=user, password=form.cleaned_data["new"], by=by, now=timezone.now())
        update_session_auth_hash(request, user)
        messages.success(request, _("The password is changed; other sessions are signed out."))
        return see_other(safe_next(request, "/profile/"))
    page = {"form": form, "next": safe_next(request, ""), "first": user.must_change_password}
    return render(request, "staff/password.html", page, status=422 if request.method == "POST" else 200)
