"""The clinic: settings, branches, doctors and their weeks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.clock import local_date, zone
from core.pages import page_after
from staff.access import Actor, needs
from staff.actions.clinic import (
    ShiftsOverlap,
    ZoneIsFixed,
    change_settings,
    save_branch,
    save_doctor,
    set_week,
    zone_is_fixed,
)
from staff.actions.people import NotAllowed
from staff.forms.clinic import BranchForm, DoctorForm, SettingsForm, WeekForm
from staff.models import Branch, Clinic, Doctor, LossRule
from staff.models.base import OWN_SOURCE
from staff.queries.people import ShiftDay, specialities, visible_branches, visible_doctors, week_of
from staff.views.login import see_other
from staff.views.tabs import staff_tabs

SETTINGS = ("name", "tz", "currency", "theta_days", "history_from", "natural_allowance_percent")


def _actor(request: HttpRequest) -> Actor:
    by: Actor = request.actor  # type: ignore[attr-defined]
    return by


def _page(request: HttpRequest, template: str, form: forms.Form, **inputs: Any) -> HttpResponse:
    return render(request, template, {"form": form, **inputs}, status=422 if form.errors else 200)


@needs("manage_settings")
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    clinic, rules = Clinic.objects.get(pk=1), dict(LossRule.objects.values_list("speciality", "theta_days"))
    initial = {name: getattr(clinic, name) for name in SETTINGS}
    form = SettingsForm(specialities(), rules, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        wanted, fields = form.cleaned_data["tz"], form.cleaned_data
        ask = wanted != clinic.tz and zone_is_fixed()  # the days of what is stored would have to move: asked apart
        if ask:
            fields["tz"] = clinic.tz
        try:
            change_settings(fields=fields, rules=form.rules, by=_actor(request), now=timezone.now())
        except (NotAllowed, ZoneIsFixed) as error:
            form.add_error(None, str(error))
        else:
            _say_effect(request, form, initial, rules, quiet=ask)
            return see_other(f"{reverse('reception:zone')}?tz={wanted}" if ask else reverse("staff:settings"))
    return _page(request, "staff/settings.html", form, tabs=staff_tabs(request), clinic=clinic)


def _say_effect(
    request: HttpRequest, form: SettingsForm, before: dict[str, Any], rules: dict[str, int], *, quiet: bool
) -> None:
    """What was changed, from what to what, and what follows for the figures."""
    lines = [
        f"{form.fields[name].label}: {before[name] or '—'} → {form.cleaned_data[name] or '—'}"
        for name in SETTINGS
        if before[name] != form.cleaned_data[name]
    ]
    own = _("by the clinic's rule")
    lines += [
        f"{name}: {rules.get(name, own)} → {form.rules.get(name, own)}"
        for name in sorted({*rules, *form.rules})
        if rules.get(name) != form.rules.get(name)
    ]
    if lines:
        messages.success(request, "; ".join(lines))
        messages.info(request, _("Figures and patients' states follow with the next recount, within a day."))
    elif not quiet:
        messages.info(request, _("Nothing was changed."))


@needs("manage_staff")
@require_safe
def branches(request: HttpRequest) -> HttpResponse:
    rows, following = page_after(visible_branches(_actor(request)).order_by("id"), request.GET.get("after", ""))
    return render(request, "staff/branches.html", {"rows": rows, "after": following, "tabs": staff_tabs(request)})


@needs("manage_staff")
@require_http_methods(["GET", "POST"])
def branch(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    by = _actor(request)
    row = get_object_or_404(visible_branches(by), pk=pk) if pk else None
    names = ("name", "tz", "phone_region", "address", "phone", "opens_at", "closes_at", "work_days", "is_default")
    initial = {name: getattr(row, name) for name in names} if row else {"tz": Clinic.objects.get(pk=1).tz}
    form = BranchForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            save_branch(branch=row, fields=form.cleaned_data, by=by, now=timezone.now())
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return see_other(reverse("staff:branches"))
    return _page(request, "staff/branch.html", form, row=row)


@needs("manage_staff")
@require_safe
def doctors(request: HttpRequest) -> HttpResponse:
    rows, following = page_after(visible_doctors(_actor(request)).order_by("id"), request.GET.get("after", ""))
    return render(request, "staff/doctors.html", {"rows": rows, "after": following, "tabs": staff_tabs(request)})


@needs("manage_staff")
@require_http_methods(["GET", "POST"])
def doctor(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    by = _actor(request)
    row = get_object_or_404(visible_doctors(by), pk=pk) if pk else None
    initial = {name: getattr(row, name) for name in ("name", "speciality", "branch", "is_active")} if row else {}
    form = DoctorForm(by, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            save_doctor(doctor=row, fields=form.values, by=by, now=timezone.now())
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return see_other(reverse("staff:doctors"))
    return _page(request, "staff/doctor.html", form, row=row, specialities=specialities())


@needs("manage_staff")
@require_http_methods(["GET", "POST"])
def shifts(request: HttpRequest, pk: int) -> HttpResponse:
    """A doctor's week: hours by day, in the branch's local time."""
    by = _actor(request)
    row = get_object_or_404(visible_doctors(by), pk=pk)
    place = _branch_of(request, by, row)
    if place is None:
        messages.info(request, _("Add a branch first."))
        return see_other(reverse("staff:branches"))
    monday = _monday(request.GET.get("week", ""), place.tz)
    week = week_of(doctor=row, monday=monday, tz=place.tz)
    form = WeekForm(by, [day.day for day in week], request.POST or None, initial=_hours(week, place))
    if request.method == "POST" and form.is_valid():
        try:
            set_week(doctor=row, branch=place, monday=monday, hours=form.hours, by=by, now=timezone.now())
        except (ShiftsOverlap, NotAllowed) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return see_other(f"{request.path}?week={monday.isoformat()}&branch={place.pk}")
    around = {"before": monday - timedelta(days=7), "after": monday + timedelta(days=7)}
    return _page(request, "staff/shifts.html", form, row=row, place=place, monday=monday, week=week, **around)


def _branch_of(request: HttpRequest, by: Actor, doctor: Doctor) -> Branch | None:
    """The branch that is asked for, else the doctor's, else the first one."""
    wanted = request.POST.get("branch") or request.GET.get("branch") or str(doctor.branch_id or "")
    mine = visible_branches(by)
    found = mine.filter(pk=wanted).first() if wanted.isdecimal() and len(wanted) < 18 else None
    return found or mine.first()


def _monday(text: str, tz: str) -> date:
    """The Monday of the week of `text` (ISO date), of this week when it is none."""
    today = local_date(timezone.now(), tz)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today
    day = day if abs((day - today).days) < 3660 else today
    return day - timedelta(days=day.weekday())


def _hours(week: list[ShiftDay], place: Branch) -> dict[str, Any]:
    """Stored shifts of the branch as the form writes them: {"day_0": "9:00-13:00, 14:00-18:00", ...}."""
    tz = zone(place.tz)
    texts = {
        f"day_{n}": ", ".join(
            f"{shift.start_at.astimezone(tz):%H:%M}-{shift.end_at.astimezone(tz):%H:%M}"
            for shift in day.shifts
            if shift.branch_id == place.pk and shift.source_id == OWN_SOURCE
        )
        for n, day in enumerate(week)
    }
    return {**texts, "branch": place}
