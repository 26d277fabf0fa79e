"""The Telegram chat of a patient: made at the desk with a one-time link, shown as QR or sent."""

from __future__ import annotations

import segno
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.clock import zone
from messaging import actions
from messaging.actions.telegram import link_of
from messaging.models import TelegramChat
from messaging.views.outbox import actor
from patients.models import Patient
from patients.queries.scope import visible_patients
from staff.access import needs
from staff.views.login import see_other


@needs("edit_patients")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def telegram(request: HttpRequest, pk: int) -> HttpResponse:
    """POST `deed` = make (shows the link once), send, unlink."""
    by, now = actor(request), timezone.now()
    found = get_object_or_404(visible_patients(by).select_related("canonical"), pk=pk)
    patient: Patient = found.canonical or found
    link, deed = "", request.POST.get("deed", "")
    if request.method == "POST":
        if deed not in ("make", "send", "unlink") or (deed != "unlink" and not settings.TELEGRAM_BOT_NAME):
            raise Http404
        if deed == "make":
            link = link_of(actions.make_code(patient=patient, by=by, now=now))
        else:
            _done(request, patient, deed)
            return see_other(reverse("messaging:telegram", args=[patient.pk]))
    context = {
        "patient": patient,
        "chat": TelegramChat.objects.filter(patient=patient, unlinked_at=None).first(),
        "link": link,
        "qr": segno.make(link, error="m").svg_data_uri(scale=6, border=3, dark="#000", light="#fff") if link else "",
        "bot": settings.TELEGRAM_BOT_NAME,
    }
    with timezone.override(zone(patient.branch.tz)):
        return render(request, "messaging/telegram.html", context)


def _done(request: HttpRequest, patient: Patient, deed: str) -> None:
    by, now = actor(request), timezone.now()
    if deed == "unlink":
        actions.unlink(patient=patient, by=by, now=now)
        messages.success(request, _("The chat is no longer linked."))
        return
    try:
        transport = actions.send_code(patient=patient, by=by, now=now)
        text = _("The link goes out by SMS.") if transport == "sms" else _("The link goes out by e-mail.")
        messages.success(request, text)
    except actions.NowhereToSend:
        messages.error(request, _("The card has neither a phone nor an e-mail address."))
