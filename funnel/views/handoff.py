"""From hand to hand: my batons, the board of dropped ones, how today's visits ended, the report, the chains."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.clock import zone
from funnel.actions import handoff as actions
from funnel.actions import steps as catalogue
from funnel.forms.handoff import BreakForm, ChainForm, FirstStepForm
from funnel.models import BreakReason, FirstStep, HandoffStep, RelayTemplate
from funnel.queries import handoff as queries
from funnel.queries import handoff_report as report
from funnel.rules.handoff import USUAL
from patients.queries.desk import desk_tz
from staff.access import Actor, needs
from staff.views.login import see_other

SHOWN = 50
DAYS = (30, 90, 365)


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined,no-any-return]


def _page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Times in the zone of the person's branch; whole pages and refreshed parts are told apart by caches."""
    with timezone.override(zone(desk_tz(_actor(request)))):
        response = render(request, f"funnel/{name}.html", context, status=status)
    response.headers["Vary"] = "HX-Request, Cookie, Accept-Language"
    return response


@require_GET
@needs("hand_off")
def mine(request: HttpRequest) -> HttpResponse:
    """Who was handed to me, and whom I have to hand on."""
    by, now = _actor(request), timezone.now()
    day = queries.clinic_day(now)
    context = {"take": queries.to_take(by, day), "give": queries.to_give(by, day), "now": now}
    context["reasons"] = BreakReason.choices
    name = "handoff_mine_rows" if request.headers.get("X-Poll") else "handoff_mine"
    return _page(request, name, context)


def _step(request: HttpRequest, pk: int) -> HandoffStep:
    return get_object_or_404(queries.visible_steps(_actor(request)), pk=pk)


@require_POST
@needs("hand_off")
def take(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        actions.take_baton(step=_step(request, pk), by=_actor(request), now=timezone.now())
    except actions.AlreadyTaken:
        messages.info(request, _("Somebody took the patient over a moment before."))
    except actions.NotYours:
        messages.error(request, _("This patient is handed to somebody else."))
    return see_other(reverse("funnel:my_batons"))


@require_POST
@needs("hand_off")
def give(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        actions.hand_over(step=_step(request, pk), by=_actor(request), now=timezone.now())
    except actions.NotItsTurn:
        messages.info(request, _("The chain has gone on meanwhile."))
    except actions.NotYours:
        messages.error(request, _("This patient is with somebody else."))
    return see_other(reverse("funnel:my_batons"))


@require_POST
@needs("hand_off")
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """The step did not take place: with its reason."""
    step, form = _step(request, pk), BreakForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose the reason why the step did not take place."))
        return see_other(reverse("funnel:my_batons"))
    try:
        actions.drop_baton(step=step, reason=form.cleaned_data["reason"], by=_actor(request), now=timezone.now())
    except actions.AlreadyTaken:
        messages.info(request, _("The chain has gone on meanwhile."))
    except actions.NotYours:
        messages.error(request, _("This patient is with somebody else."))
    return see_other(reverse("funnel:my_batons"))


@require_GET
@needs("see_handoff")
def board(request: HttpRequest) -> HttpResponse:
    """Dropped batons, live: the part asks for itself every five seconds."""
    by, now = _actor(request), timezone.now()
    context = {"steps": queries.dropped(by, queries.clinic_day(now), now), "now": now}
    return _page(request, "handoff_rows" if request.headers.get("X-Poll") else "handoff_board", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("hand_off")
def today(request: HttpRequest) -> HttpResponse:
    """Visits of today that ended without the chain or the next booking and nobody said why; POST says why."""
    by, now, after = _actor(request), timezone.now(), request.GET.get("after", "")
    bad = queries.ended_badly(by, queries.clinic_day(now)).order_by("pk")
    if request.method == "POST":
        return _explained(request, bad)
    if after.isdecimal() and len(after) < 18:
        bad = bad.filter(pk__gt=int(after))
    visits = list(bad[: SHOWN + 1])
    broken = queries.broken_at(visits[:SHOWN])
    rows = [(visit, broken.get(visit.pk, "")) for visit in visits[:SHOWN]]
    more = visits[SHOWN - 1].pk if len(visits) > SHOWN else None
    return _page(request, "handoff_today", {"rows": rows, "more": more, "reasons": BreakReason.choices})


def _explained(request: HttpRequest, bad: Any) -> HttpResponse:
    form, wanted = BreakForm(request.POST), request.POST.get("visit", "")
    visit = get_object_or_404(bad, pk=int(wanted) if wanted.isdecimal() and len(wanted) < 18 else 0)
    if form.is_valid():
        said = form.cleaned_data
        actions.explain_break(
            visit=visit, reason=said["reason"], note=said["note"], by=_actor(request), now=timezone.now()
        )
        messages.success(request, _("The reason is kept."))
    else:
        messages.error(request, _("Choose the reason."))
    return see_other(reverse("funnel:handoff_today"))


@require_GET
@needs("see_handoff")
def handoff_report(request: HttpRequest) -> HttpResponse:
    """`?days=`: how many days of visits are looked at."""
    by, wanted = _actor(request), request.GET.get("days", "")
    days = int(wanted) if wanted in map(str, DAYS) else DAYS[1]
    recent, ripe = report.windows(queries.clinic_day(timezone.now()), days)
    effects = report.first_step_effects(by, ripe)
    context = {
        "days": days,
        "options": [
            {"label": ngettext("%(n)s day", "%(n)s days", n) % {"n": n}, "url": f"?days={n}", "current": n == days}
            for n in DAYS
        ],
        "recent": recent,
        "ripe": ripe,
        "breaks": report.breaks(by, recent),
        "comparisons": [
            (_("Next booking made at the visit: complete chain against broken"), report.booked_next(by, recent)),
            (_("Came again within 90 days: complete chain against broken"), report.came_again(by, ripe)),
            (
                _("Came again within 90 days: the clinic presented or not"),
                report.came_after_presentation(by, ripe),
            ),
        ],
        "effects": [(str(effect.step), effect.comparison) for effect in effects],
        "within": report.AGAIN_WITHIN,
    }
    return _page(request, "handoff_report", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("edit_handoff")
def chains(request: HttpRequest) -> HttpResponse:
    """The chains of specialities and the catalogue of first steps. `?of=`: fill the form with that chain."""
    form = ChainForm(request.POST or None, initial=_initial(request.GET.get("of")))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        actions.set_chain(
            speciality=said["speciality"],
            kinds=form.kinds(),
            limit_minutes=said["limit_minutes"],
            by=_actor(request),
            now=timezone.now(),
        )
        messages.success(request, _("The chain is kept; visits from now on follow it."))
        return see_other(reverse("funnel:handoff_chains"))
    return _chains(request, form, FirstStepForm(), 422 if form.errors else 200)


def _initial(of: str | None) -> dict[str, Any]:
    found = RelayTemplate.objects.filter(speciality=of).first() if of is not None else None
    kinds = found.kinds if found else USUAL
    values = {"speciality": found.speciality, "limit_minutes": found.limit_minutes} if found else {}
    return values | {f"step{place}": kind for place, kind in enumerate(kinds)}


def _chains(request: HttpRequest, form: ChainForm, naming: FirstStepForm, status: int) -> HttpResponse:
    kept = RelayTemplate.objects.order_by("speciality")
    rows = [(one, [HandoffStep.Kind(kind).label for kind in one.kinds]) for one in kept]
    context = {"form": form, "naming": naming, "chains": rows, "first_steps": FirstStep.objects.order_by("pk")}
    return _page(request, "handoff_chains", context, status)


@require_POST
@needs("edit_handoff")
def first_step(request: HttpRequest) -> HttpResponse:
    """A new line of the catalogue, or (`step`) an old one offered or not."""
    by, now, wanted = _actor(request), timezone.now(), request.POST.get("step", "")
    if wanted:
        step = get_object_or_404(FirstStep, pk=int(wanted) if wanted.isdecimal() and len(wanted) < 18 else 0)
        catalogue.switch_first_step(step=step, is_active=not step.is_active, by=by, now=now)
        return see_other(reverse("funnel:handoff_chains"))
    form = FirstStepForm(request.POST)
    if form.is_valid():
        try:
            catalogue.add_first_step(name=form.cleaned_data["name"], by=by, now=now)
            return see_other(reverse("funnel:handoff_chains"))
        except catalogue.NameTaken:
            form.add_error("name", _("The catalogue has it already."))
    return _chains(request, ChainForm(initial=_initial(None)), form, 422)
