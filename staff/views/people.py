"""Accounts: who works here and by what right."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.pages import page_after
from staff.access import Actor, needs
from staff.actions.people import LastOwner, NotAllowed, add_user, change_user, reset_password, reset_second_step
from staff.forms.people import UserForm
from staff.models import User
from staff.queries.people import visible_users
from staff.rules.roles import reaches
from staff.views.login import see_other
from staff.views.tabs import staff_tabs

REFUSED = (NotAllowed, LastOwner)


def _actor(request: HttpRequest) -> Actor:
    by: Actor = request.actor  # type: ignore[attr-defined]
    return by


@needs("manage_staff")
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    rows, following = page_after(visible_users(_actor(request)).order_by("id"), request.GET.get("after", ""))
    return render(request, "staff/people.html", {"rows": rows, "after": following, "tabs": staff_tabs(request)})


@needs("manage_staff")
@never_cache
@require_http_methods(["GET", "POST"])
def person_add(request: HttpRequest) -> HttpResponse:
    by = _actor(request)
    form = UserForm(by, None, request.POST or None, initial={"role": "administrator", "language": "ru"})
    if request.method == "POST" and form.is_valid():
        try:
            user, password = add_user(fields=form.values, by=by, now=timezone.now())
        except NotAllowed as error:
            form.add_error(None, str(error))
        except IntegrityError:  # somebody took the login between the check and the insert
            form.add_error("login", _("This login is taken."))
        else:
            return render(request, "staff/password_once.html", {"person": user, "password": password})
    return _form_page(request, form, None)


@needs("manage_staff")
@never_cache
@require_http_methods(["GET", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    by = _actor(request)
    user = get_object_or_404(visible_users(by), pk=pk)
    initial = {name: getattr(user, name) for name in ("login", "full_name", "role", "email", "phone", "language")}
    form = UserForm(by, user, request.POST or None, initial=initial | {"branch": user.branch, "doctor": user.doctor})
    if not reaches(by, user.role):
        return _form_page(request, None, user)
    if request.method == "POST" and form.is_valid():
        try:
            change_user(user_id=user.pk, fields=form.values, by=by, now=timezone.now())
        except (*REFUSED, IntegrityError) as error:
            form.add_error(None, str(error) if isinstance(error, REFUSED) else _("This login is taken."))
        else:
            messages.success(request, _("Saved."))
            return see_other(reverse("staff:people"))
    return _form_page(request, form, user)


def _form_page(request: HttpRequest, form: UserForm | None, user: User | None) -> HttpResponse:
    page: dict[str, Any] = {"form": form, "person": user, "own": user is not None and user.pk == request.user.pk}
    return render(request, "staff/person.html", page, status=422 if form is not None and form.errors else 200)


@needs("manage_staff")
@require_POST
def person_access(request: HttpRequest, pk: int) -> HttpResponse:
    """Closes the account, or opens it again (`open=1`)."""
    user = get_object_or_404(visible_users(_actor(request)), pk=pk)
    is_active = request.POST.get("open") == "1"
    try:
        change_user(user_id=user.pk, fields={"is_active": is_active}, by=_actor(request), now=timezone.now())
    except REFUSED as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The account is open again.") if is_active else _("The account is closed."))
    return see_other(reverse("staff:people"))


@needs("manage_staff")
@never_cache
@require_POST
def person_password(request: HttpRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(visible_users(_actor(request)), pk=pk)
    try:
        password = reset_password(user_id=user.pk, by=_actor(request), now=timezone.now())
    except NotAllowed as error:
        messages.error(request, str(error))
        return see_other(reverse("staff:people"))
    return render(request, "staff/password_once.html", {"person": user, "password": password})


@needs("manage_staff")
@require_POST
def person_second_step(request: HttpRequest, pk: int) -> HttpResponse:
    """Forgets the app of somebody who lost his phone."""
    user = get_object_or_404(visible_users(_actor(request)), pk=pk)
    try:
        reset_second_step(user_id=user.pk, by=_actor(request), now=timezone.now())
    except NotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The second step is forgotten; it is set up anew at the next sign-in."))
    return see_other(reverse("staff:people"))
