"""The proof pack, made to be printed: for a regulator's question about one message or one patient."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from messaging.queries.outbox import visible_messages
from messaging.queries.proof import Proof, message_proof, patient_proof
from messaging.views.outbox import actor, local_times
from patients.actions.consents import scan_content
from patients.models import Consent, ConsentScan, Patient
from patients.queries.scope import visible_patients
from staff import actions as staff
from staff.access import needs

SHOWN = ("names", "consents", "messages")
SUFFIXES = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}


def _page(request: HttpRequest, proof: Proof, *, one: bool = False) -> HttpResponse:
    """Every opening is written down: it shows a person's consents and messages."""
    now = timezone.now()
    staff.record(
        by=actor(request),
        deed="read_proof",
        now=now,
        object_kind="patient",
        object_id=proof.patient.pk,
        patient_id=proof.patient.pk,
        fields=SHOWN,
    )
    context = {"proof": proof, "one": one, "stood_on": proof.stood_on, "now": now, "by": actor(request)}
    with local_times(actor(request)):
        return render(request, "messaging/proof.html", context)


@needs("see_proof")
@require_safe
def of_patient(request: HttpRequest, pk: int) -> HttpResponse:
    patient = get_object_or_404(visible_patients(actor(request)).select_related("canonical"), pk=pk)
    root: Patient = patient.canonical or patient
    return _page(request, patient_proof(root))


@needs("see_proof")
@require_safe
def of_message(request: HttpRequest, message_id: int) -> HttpResponse:
    found = visible_messages(actor(request)).select_related("patient__canonical")
    message = get_object_or_404(found, pk=message_id)
    if message.patient is None:
        raise Http404
    return _page(request, message_proof(message), one=True)


@needs("see_proof")
@require_safe
def scan(request: HttpRequest, scan_id: int) -> HttpResponse:
    """The signed paper itself, as a download."""
    by = actor(request)
    line = Consent.objects.filter(scan__id=scan_id, patient__in=visible_patients(by).values("pk")).first()
    if line is None:
        raise Http404
    found = ConsentScan.objects.get(pk=scan_id)
    staff.record(
        by=by,
        deed="read_proof",
        now=timezone.now(),
        object_kind="consent_scan",
        object_id=scan_id,
        patient_id=line.patient_id,
        fields=("scan",),
    )
    response = HttpResponse(scan_content(found), content_type=found.content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="consent-{scan_id}.{SUFFIXES[found.content_type]}"'
    return response
