"""Find from any page: the answer stands while typing, Enter opens the first hit."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from patients.models import Service
from patients.queries.find import find_patients
from reception.views.pages import actor, page
from reception.views.today import see_other
from staff.access import needs

TYPED = "typed"  # session: what was looked for and not found, for the form of a new patient
PICKS = ("referrer", "responsible_adult", "family")


@require_http_methods(["GET", "POST"])
@needs("find_patients")
def find(request: HttpRequest) -> HttpResponse:
    """htmx gets the list; a whole request (Enter) opens the card of the first hit, however many there are.

    What is typed is posted: a name or a phone in an address would stand in logs and in the browser's history.
    """
    asked = request.POST if request.method == "POST" else request.GET
    if asked.get("add"):
        request.session[TYPED] = asked["add"][:100]
        return see_other(reverse("reception:patient_new"))
    text = asked.get("q", "")[:100]
    found = find_patients(text=text, by=actor(request))
    context = {"found": found, "text": text, "may_add": actor(request).may("edit_patients")}
    pick = request.GET.get("pick", "")
    if pick in PICKS:
        return page(request, "reception/pick.html", {**context, "pick": pick})
    if getattr(request, "htmx", False):
        return page(request, "reception/find.html#hits", context)
    if found.hits:
        return redirect("reception:card", pk=found.hits[0].id)
    return page(request, "reception/find.html", context)


@require_GET
@needs("book_visits")
def services(request: HttpRequest) -> HttpResponse:
    """Lines of the price list while typing, as options of a datalist."""
    return page(request, "reception/services.html", {"services": price_list(_typed(request))})


def _typed(request: HttpRequest) -> str:
    """The field that asks bears its own name (`items-2-service`)."""
    return next((str(text) for name, text in request.GET.items() if name == "q" or name.endswith("service")), "")


def price_list(text: str = "") -> list[Service]:
    """At most 50 active services whose name holds the text in either case of its first letter.

    `twin`: another one bears the same name (a second opinion in two specialities), so the code has to be said too.
    """
    active = Service.objects.filter(is_active=True)
    twin = Exists(active.filter(name=OuterRef("name")).exclude(pk=OuterRef("pk")))
    names, text = active.annotate(twin=twin).order_by("name", "id"), text.strip()[:100]
    if text:
        # SQLite folds the case of Latin letters alone.
        wanted = [Q(name__icontains=form) for form in (text, text.lower(), text.capitalize())]
        names = names.filter(wanted[0] | wanted[1] | wanted[2])
    return list(names[:50])
