"""Possible duplicates: the work list, two records side by side, merging, and undoing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.pages import page_after
from patients.actions.duplicates import dismiss_pair
from patients.actions.merge import CannotMerge, merge_patients
from patients.actions.unmerge import AlreadyUndone, undo_merge
from patients.models import Patient
from patients.queries.worklist import Side, open_pairs, pairs_after, sides, visible_merges
from reception.views.pages import actor, page
from staff.access import needs
from staff.actions import record

# field -> label; `branch_id` and the like carry the names of what they point at
FIELDS = {
    "last_name": gettext_lazy("Last name"),
    "first_name": gettext_lazy("First name"),
    "middle_name": gettext_lazy("Middle name"),
    "birth_date": gettext_lazy("Date of birth"),
    "sex": gettext_lazy("Sex"),
    "email": gettext_lazy("E-mail"),
    "preferred_transport": gettext_lazy("How to reach"),
    "language": gettext_lazy("Language"),
    "card_number": gettext_lazy("Card number"),
    "branch_id": gettext_lazy("Branch"),
    "channel_id": gettext_lazy("Where from"),
    "curator_id": gettext_lazy("Curator"),
    "note": gettext_lazy("Note"),
}
REASONS = {
    "names_equal": gettext_lazy("the names are equal"),
    "names_alike": gettext_lazy("the names are alike"),
    "names_swapped": gettext_lazy("last and first name are swapped"),
    "last_name_differs": gettext_lazy("another last name"),
    "middle_name_differs": gettext_lazy("another middle name"),
    "birth_equal": gettext_lazy("the same date of birth"),
    "birth_near": gettext_lazy("dates of birth differ by a slip"),
    "birth_differs": gettext_lazy("different dates of birth"),
    "phone": gettext_lazy("a shared phone"),
    "email": gettext_lazy("the same e-mail"),
    "sex_differs": gettext_lazy("different sex"),
}
FACTS = {
    "visits": gettext_lazy("visits"),
    "payments": gettext_lazy("payments"),
    "consents": gettext_lazy("consents"),
    "touchpoints": gettext_lazy("contacts"),
    "recommendations": gettext_lazy("recommendations"),
    "work_items": gettext_lazy("work items"),
}


def _see_other(name: str, *args: int) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse(name, args=args), status=303)


@needs("merge_patients")
@require_safe
def duplicates(request: HttpRequest) -> HttpResponse:
    pairs, after = pairs_after(actor(request), request.GET.get("after", ""))
    rows = [{"pair": pair, "reasons": [REASONS.get(code, code) for code in pair.reasons]} for pair in pairs]
    return page(request, "reception/duplicates.html", {"rows": rows, "after": after, "tabs": _tabs("duplicates")})


def _tabs(current: str) -> list[dict[str, Any]]:
    pages = [("duplicates", _("To look at")), ("merges", _("Merged"))]
    return [
        {"url": reverse(f"reception:{name}"), "label": label, "current": name == current, "count": None}
        for name, label in pages
    ]


def _two(request: HttpRequest, left: int, right: int) -> tuple[Side, Side]:
    """Both canonical patients with what the page compares; 404 unless both are the reader's."""
    found = sides((left, right), actor(request))
    if left == right or len(found) != 2:
        raise Http404
    return found[left], found[right]


@needs("merge_patients")
@require_http_methods(["GET", "POST"])
def compare(request: HttpRequest, left: int, right: int) -> HttpResponse:
    """Side by side, with a choice for each field that differs; POST merges."""
    one, other = _two(request, left, right)
    if request.method == "POST":
        survivor, loser = (one, other) if request.POST.get("survivor") == str(left) else (other, one)
        try:
            merge_patients(
                survivor=survivor.patient,
                loser=loser.patient,
                chosen=_chosen(request, survivor.patient, loser.patient),
                by=actor(request),
                now=timezone.now(),
            )
        except CannotMerge as error:
            messages.error(request, str(error))
            return _see_other("reception:duplicates")
        messages.success(request, _("Merged. It can be undone at any time under “Merged”."))
        return _see_other("reception:card", survivor.patient.pk)
    for side in (one, other):
        _opened(request, side.patient.pk)
    context = {"one": one, "other": other, "fields": _fields(one.patient, other.patient)}
    return page(request, "reception/compare.html", context)


def _opened(request: HttpRequest, pk: int) -> None:
    by, now = actor(request), timezone.now()
    record(by=by, deed="see_card", now=now, object_kind="patient", object_id=pk, patient_id=pk)


def _chosen(request: HttpRequest, survivor: Patient, loser: Patient) -> dict[str, Any]:
    """Values of those fields for which the loser's side was ticked. Without a tick the survivor keeps his own."""
    taken = [name for name in FIELDS if request.POST.get(name) == str(loser.pk)]
    return {name: getattr(loser, name) for name in taken}


def _fields(one: Patient, other: Patient) -> list[dict[str, Any]]:
    """Rows of the comparison; where they differ the fuller value is ticked, else that of the older record."""
    rows = []
    for name, label in FIELDS.items():
        left, right = _shown(one, name), _shown(other, name)
        pick = other.pk if right and not left else one.pk
        rows.append({"name": name, "label": label, "left": left, "right": right, "differ": left != right, "pick": pick})
    return [row for row in rows if row["left"] or row["right"]]


def _shown(patient: Patient, name: str) -> Any:
    if name.endswith("_id"):
        return str(getattr(patient, name.removesuffix("_id")) or "")
    if name in ("sex", "preferred_transport"):
        return getattr(patient, f"get_{name}_display")()
    if name == "birth_date":
        return patient.birth_date.strftime("%d.%m.%Y") if patient.birth_date else ""
    if name == "language" and patient.language:
        return get_language_info(patient.language)["name_local"].capitalize()
    return getattr(patient, name)


@needs("merge_patients")
@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Two people: the pair does not come back."""
    pair = get_object_or_404(open_pairs(actor(request)), pk=pk)
    dismiss_pair(pair=pair, by=actor(request), now=timezone.now())
    messages.success(request, _("Noted: these are two people."))
    return _see_other("reception:duplicates")


@needs("merge_patients")
@require_safe
def merges(request: HttpRequest) -> HttpResponse:
    found, after = page_after(visible_merges(actor(request)), request.GET.get("after", ""))
    rows = [{"merge": merge, "conflicts": [_said(row) for row in merge.conflicts]} for merge in found]
    return page(request, "reception/merges.html", {"rows": rows, "after": after, "tabs": _tabs("merges")})


def _said(conflict: dict[str, Any]) -> str:
    """One conflict in words."""
    if conflict["kind"] == "facts":
        words = {"what": FACTS.get(conflict["of"], conflict["of"]), "count": conflict["count"]}
        return _("%(what)s recorded after the merge stay with the survivor: %(count)d") % words
    label = FIELDS.get(conflict["field"], conflict["field"])
    return _("%(field)s was edited after the merge and keeps its value") % {"field": label}


@needs("merge_patients")
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    merge = get_object_or_404(visible_merges(actor(request)), pk=pk)
    try:
        conflicts = undo_merge(merge=merge, by=actor(request), now=timezone.now())
    except AlreadyUndone as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("They are two patients again."))
        for row in conflicts:
            messages.warning(request, _said(row))
    return _see_other("reception:merges")
