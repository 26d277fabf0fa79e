"""Keys of other systems: made (the text is shown once) and revoked."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from core.pages import page_after
from staff.access import needs
from staff.actions.keys import NameTaken, make_key, revoke_key
from staff.actions.people import NotAllowed
from staff.forms.people import KeyForm
from staff.queries.people import visible_keys
from staff.views.login import see_other
from staff.views.tabs import staff_tabs


@needs("manage_keys")
@never_cache
@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    by = request.actor  # type: ignore[attr-defined]
    form, text = KeyForm(by, request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        try:
            _key, text = make_key(**form.cleaned_data, by=by, now=timezone.now())
            form = KeyForm(by)
        except NameTaken as error:
            form.add_error("name", str(error))
        except NotAllowed as error:
            form.add_error(None, str(error))
    rows, following = page_after(visible_keys(by).order_by("-id"), request.GET.get("after", ""))
    page = {"form": form, "text": text, "rows": rows, "after": following, "tabs": staff_tabs(request)}
    return render(request, "staff/keys.html", page, status=422 if form.errors else 200)


@needs("manage_keys")
@require_POST
def key_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    by = request.actor  # type: ignore[attr-defined]
    key = get_object_or_404(visible_keys(by), pk=pk)
    revoke_key(key_id=key.pk, by=by, now=timezone.now())
    messages.success(request, _("The key is revoked: it stops working at once."))
    return see_other(reverse("staff:keys"))
