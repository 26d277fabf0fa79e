"""A booking that the MIS refused, or that never reached it, is sent once more by a person at the desk."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from funnel import actions
from funnel.queries.mis_booking import of_place
from staff.access import Actor, needs


@require_POST
@needs("book_visits")
def resend(request: HttpRequest, pk: int) -> HttpResponse:
    """`pk`: the visit. 404 where the MIS was never to know of it, or where it is another branch's."""
    by: Actor = request.actor  # type: ignore[attr-defined]
    row = get_object_or_404(of_place(by), visit=pk)
    actions.resend_booking(row=row, by=by, now=timezone.now())
    messages.success(request, _("It goes to the MIS within a minute."))
    wanted = request.POST.get("next", "")
    if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return redirect(wanted)
    return redirect("reception:card", row.visit.patient_id)
