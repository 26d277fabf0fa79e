"""`/ladder/services/`: which service is which step; `/prices/`: the price list for everybody (R46)."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.pages import page_after
from funnel.actions.ladder import set_prices_shown, set_tiers
from funnel.forms.ladder import ServiceFilter, TiersForm
from funnel.models import TierMark
from funnel.queries.booking import rules_of_booking
from funnel.queries.ladder import rules_of_ladder, unclassified
from funnel.queries.price import price_list, wanted
from funnel.views.ladder import actor
from patients.models import Service
from patients.models.price import Tier
from staff.access import needs, public
from staff.models import Branch, Clinic


@needs("edit_ladder")
@require_http_methods(["GET", "POST"])
def services(request: HttpRequest) -> HttpResponse:
    """A page of the price list; one step for those that are ticked."""
    form = TiersForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        tier = form.cleaned_data["tier"]
        tiers = {service.pk: tier for service in form.cleaned_data["services"]}
        done = set_tiers(tiers=tiers, by=actor(request), now=timezone.now())
        said = ngettext("The step was set for %(n)d service.", "The step was set for %(n)d services.", done)
        messages.success(request, said % {"n": done})
        return HttpResponseRedirect(request.get_full_path(), status=303)
    asked = ServiceFilter(request.GET)
    rows, after = page_after(_found(asked), request.GET.get("after", ""))
    context = {
        "form": form,
        "asked": asked,
        "rows": rows,
        "after": after,
        "tiers": Tier.choices,
        "rules": rules_of_ladder(),
        "currency": Clinic.objects.get(pk=1).currency,
    }
    return render(request, "funnel/ladder_services.html", context, status=422 if form.errors else 200)


def _found(asked: ServiceFilter) -> QuerySet[Service]:
    """By id; `chosen`: somebody set the step."""
    chosen = asked.cleaned_data if asked.is_valid() else {}
    rows = unclassified() if chosen.get("only") else Service.objects.filter(is_active=True).order_by("id")
    if chosen.get("q"):
        rows = rows.filter(name__icontains=chosen["q"])
    return rows.annotate(chosen=Exists(TierMark.objects.filter(service=OuterRef("pk"))))


@needs("edit_ladder")
@require_POST
def publish(request: HttpRequest) -> HttpResponse:
    """`shown` = 1: the price list stands on its public page."""
    set_prices_shown(shown=request.POST.get("shown") == "1", by=actor(request), now=timezone.now())
    return HttpResponseRedirect(reverse("funnel:ladder_services"), status=303)


@public
@require_GET
def prices(request: HttpRequest) -> HttpResponse:
    """The price list by speciality, `?q=` a part of a name. 404 while it is not shown."""
    if not rules_of_ladder().prices_shown:
        raise Http404
    words = request.GET.get("q", "")[:100]
    rows = wanted(price_list(), words)
    groups = [(name, list(part)) for name, part in groupby(rows, key=lambda row: row["speciality"])]
    context = {
        "groups": groups,
        "q": words,
        "book_url": _book_url(),
        "currency": Clinic.objects.get(pk=1).currency,
    }
    return render(request, "funnel/prices.html", context)


def _book_url() -> dict[str, Any]:
    """Where a service is booked: `each` takes its id at the end; with several branches first comes the branch (`all`)."""
    if not rules_of_booking().is_open:
        return {}
    codes = list(Branch.objects.order_by("pk").values_list("external_id", flat=True)[:2])
    if len(codes) == 1:
        return {"each": f"{reverse('funnel:booking', args=codes)}?service="}
    return {"all": reverse("funnel:booking_places")} if codes else {}
