"""Log a visit: one screen, the keyboard alone, and nobody leaves without a next booking or the reason why none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.clock import zone
from funnel.forms.handoff import HandForm
from messaging.tasks import wake
from patients.actions.booking import BadTime, MoveNotAllowed, SlotTaken
from patients.actions.desk import NextSlotTaken
from patients.models import Visit
from patients.queries.slots import Slot
from patients.rules.moves import allowed
from reception import actions
from reception.forms.visit import ItemFormSet, VisitForm, report_of
from reception.forms.when import NextForm, OwnForm, WhenForm
from reception.views.booking import branch_of, offered, taken
from reception.views.find import price_list
from reception.views.pages import actor, find_patient, find_visit, page
from reception.views.today import back_to, see_other, why_not
from staff.access import needs
from staff.models import Branch


class Screen:
    """The forms of one screen, read together: all faults are shown at once and nothing typed is lost."""

    def __init__(self, request: HttpRequest, branch: Branch, now: datetime, visit: Visit | None = None) -> None:
        data, doctor = request.POST or None, visit.doctor if visit else None
        self.request, self.branch, self.now, self.doctor = request, branch, now, doctor
        self.form = VisitForm(data, medical=actor(request).may("see_medical"))
        self.items = ItemFormSet(data, prefix="items")
        self.coming = NextForm(data, prefix="next", branch=branch, initial={"doctor": doctor.pk if doctor else None})
        self.hand = HandForm(data, prefix="hand", visit=visit)
        self.own: WhenForm | None = None  # when a visit without an appointment took place
        self.free: list[Slot] | None = None

    @property
    def parts(self) -> list[Any]:
        return [part for part in (self.own, self.form, self.items, self.coming, self.hand) if part is not None]

    def valid(self) -> bool:
        answers = [part.is_valid() for part in self.parts]  # all are asked: every fault is shown at once
        return self.request.method == "POST" and all(answers)

    def save(self, write: Callable[..., Visit]) -> Visit | None:
        """The visit, or None with the fault said at its field."""
        report, key = report_of(self.form, self.items, self.coming), str(self.form.cleaned_data["key"])
        try:
            by, hand = actor(self.request), self.hand.report()
            return write(report=report, hand=hand, submission_key=key, by=by, now=self.now)
        except NextSlotTaken as error:
            self.free = error.free
            taken(self.coming)
        except SlotTaken:
            (self.own or self.coming).add_error("overlap", _("The doctor has somebody then; squeeze it in?"))
        except (MoveNotAllowed, BadTime) as error:
            self.form.add_error(None, why_not(error))
        return None

    def show(self, **context: Any) -> HttpResponse:
        free = offered(self.doctor, self.now, 30, self.now) if self.free is None else self.free
        context |= {"form": self.form, "items": self.items, "coming": self.coming, "own": self.own, "slots": free}
        context["hand"] = self.hand
        context |= {"services": price_list(), "faults": faults(self.parts) if self.request.method == "POST" else []}
        status = 422 if self.request.method == "POST" else 200
        return page(self.request, "reception/log_visit.html", context, tz=self.branch.tz, status=status)


def faults(parts: list[Any]) -> list[dict[str, str]]:
    """Every fault of every form as {id, label, text}: the summary that takes the focus."""
    forms = [form for part in parts for form in (part if hasattr(part, "management_form") else [part])]
    return [
        {
            "id": form[name].id_for_label if name != NON_FIELD_ERRORS else "",
            "label": _label(form, name),
            "text": str(text),
        }
        for form in forms
        for name, texts in form.errors.items()
        for text in texts
    ]


def _label(form: Any, name: str) -> str:
    return str(form[name].label) if name != NON_FIELD_ERRORS else ""


@needs("log_visits")
def log_visit(request: HttpRequest, pk: int) -> HttpResponse:
    """The appointment becomes a completed visit."""
    visit = find_visit(request, pk)
    if request.method == "GET" and not allowed("finish", visit.status):  # back after saving
        messages.info(request, _("This visit is logged or cancelled already."))
        return see_other(reverse("reception:card", args=[visit.patient_id]))
    screen = Screen(request, visit.branch, timezone.now(), visit)
    if screen.valid():
        done = screen.save(lambda **facts: actions.log_visit(visit=visit, **facts))
        if done:
            wake()  # the next booking's confirmation leaves now
            return _done(request, done)
    return screen.show(visit=visit, patient=visit.patient, next=request.GET.get("next", ""))


@needs("log_visits")
def walk_in(request: HttpRequest, pk: int) -> HttpResponse:
    """A visit without an appointment: when and with whom comes first."""
    patient, now = find_patient(request, pk), timezone.now()
    branch = branch_of(request, patient.branch)
    screen = Screen(request, branch, now)
    local = now.astimezone(zone(branch.tz))
    start = {"day": local.date(), "time": local.replace(minute=local.minute // 5 * 5).time()}
    screen.own = OwnForm(request.POST or None, prefix="own", branch=branch, initial=start)
    if screen.valid():
        data = screen.own.cleaned_data
        own = {name: data[name] for name in ("doctor", "branch", "start_at", "end_at", "overlap")}
        done = screen.save(lambda **facts: actions.log_walk_in(patient=patient, **own, **facts))
        if done:
            wake()  # the next booking's confirmation leaves now
            return _done(request, done)
    return screen.show(visit=None, patient=patient, next="")


def _done(request: HttpRequest, visit: Visit) -> HttpResponse:
    messages.success(request, _("The visit is logged."))
    return see_other(back_to(request, reverse("reception:card", args=[visit.patient_id])))
