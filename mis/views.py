"""Pages of imports: the list with the upload, and one page a file through all its states."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from kombu.exceptions import OperationalError

from core.clock import zone
from core.export import csv_chunks
from mis import actions, tasks
from mis.actions.jobs.receive import NotNow, WrongColumns
from mis.forms import UploadForm
from mis.models import ImportJob
from mis.queries.jobs import (
    first_conflicts,
    first_rejected,
    page_of_jobs,
    preview_of,
    reasons_text,
    rejected_table,
    visible_jobs,
)
from mis.queries.tables import BadFile
from patients.queries.desk import desk_tz
from staff.access import Actor, needs

log = logging.getLogger(__name__)
OVERHEAD = 1 << 20  # of a multipart body around the file


def actor(request: HttpRequest) -> Actor:
    by: Actor = request.actor  # type: ignore[attr-defined]
    return by


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Times are shown in the zone of the person's branch, else of the clinic."""
    with timezone.override(zone(desk_tz(actor(request)))):
        return render(request, template, context, status=status)


def find_job(request: HttpRequest, pk: int) -> ImportJob:
    return get_object_or_404(visible_jobs(actor(request)), pk=pk)


def wake(task: Any, job_id: int) -> None:
    """Tell a worker. Without a broker the next tick takes the job up: a page does not fail for that."""
    try:
        task.delay(job_id)
    except OperationalError:
        log.warning("imports: the broker does not answer; job %d waits for the next tick", job_id)


@csrf_exempt  # looking for the token would read the whole body: the length is judged before, the token after
@needs("import_files")
@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    if request.method == "POST" and _too_long(request):
        return render(request, "mis/too_large.html", status=413)
    return _imports(request)


def _too_long(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return not length.isdecimal() or int(length) > settings.IMPORT_MAX_BYTES + OVERHEAD


@csrf_protect
def _imports(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None, by=actor(request))
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("mis:job", pk=_receive(request, form).pk)
        except BadFile as error:
            form.add_error("file", str(error))
    before = request.GET.get("before", "")
    jobs, following = page_of_jobs(actor(request), int(before) if before.isdecimal() and len(before) < 19 else None)
    context = {"form": form, "jobs": jobs, "next_url": f"?before={following}" if following else ""}
    return page(request, "mis/imports.html", context, status=422 if form.is_bound else 200)


def _receive(request: HttpRequest, form: UploadForm) -> ImportJob:
    said, branch = form.cleaned_data, form.cleaned_data["branch"]
    return actions.receive_file(
        chunks=said["file"].chunks(),
        file_name=said["file"].name,
        source_code=said["source"],
        kind=said["kind"],
        branch_id=branch.pk if branch else None,
        by=actor(request),
        now=timezone.now(),
        language=get_language() or "ru",
    )


@require_GET
@needs("import_files")
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """Whatever the state: columns to choose, progress, result. htmx asks for the state alone while it runs."""
    return _job_page(request, find_job(request, pk))


def _job_page(request: HttpRequest, job: ImportJob, fault: str = "") -> HttpResponse:
    context: dict[str, Any] = {"job": job, "fault": fault}
    status = 422 if fault else 200
    if job.status == ImportJob.Status.PREVIEW:
        try:
            context |= preview_of(job)
        except (BadFile, OSError) as error:
            context["fault"], status = str(error), 422
        return page(request, "mis/preview.html", context, status=status)
    context["rejected"] = [(row, reasons_text(job, row.errors)) for row in first_rejected(job)] if job.failed else []
    context["conflicts"] = first_conflicts(job) if job.conflicts else []
    part = "#state" if getattr(request, "htmx", False) else ""
    response = page(request, f"mis/job.html{part}", context, status=status)
    response.headers["Vary"] = "HX-Request, Cookie, Accept-Language"
    return response


@require_GET
@needs("import_files")
def dry_run(request: HttpRequest, pk: int) -> HttpResponse:
    """What would become of the first rows; nothing is kept."""
    job = find_job(request, pk)
    if job.status != ImportJob.Status.PREVIEW:
        raise Http404
    try:
        outcomes = actions.dry_run(job=job, by=actor(request), now=timezone.now())
    except BadFile as error:
        return render(request, "mis/outcomes.html", {"fault": str(error)})
    rows = [(one, reasons_text(job, one.errors)) for one in outcomes]
    return render(request, "mis/outcomes.html", {"rows": rows, "job": job})


@require_POST
@needs("import_files")
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    job = find_job(request, pk)
    mapping = [request.POST.get(f"column-{n}", "") for n in range(len(job.header))]
    try:
        actions.choose_columns(
            job_id=pk, kind=request.POST.get("kind", job.kind), mapping=mapping, by=actor(request), now=timezone.now()
        )
    except (WrongColumns, NotNow) as error:
        return _job_page(request, job, str(error))
    return redirect("mis:job", pk=pk)


@require_POST
@needs("import_files")
def start(request: HttpRequest, pk: int) -> HttpResponse:
    job = find_job(request, pk)
    try:
        actions.start_import(job_id=pk, by=actor(request), now=timezone.now())
        wake(tasks.run_import, pk)
    except WrongColumns as error:
        return _job_page(request, job, str(error))
    except NotNow:
        pass  # pressed twice: it runs already
    return redirect("mis:job", pk=pk)


@require_POST
@needs("import_files")
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    find_job(request, pk)
    try:
        actions.discard(job_id=pk, by=actor(request), now=timezone.now())
    except NotNow as error:
        messages.error(request, str(error))
        return redirect("mis:job", pk=pk)
    messages.success(request, _("The file was thrown away; nothing had been imported."))
    return redirect("mis:imports")


@require_POST
@needs("import_files")
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    find_job(request, pk)
    try:
        actions.start_undo(job_id=pk, by=actor(request), now=timezone.now())
        wake(tasks.undo_import, pk)
    except NotNow as error:
        messages.error(request, str(error))
    return redirect("mis:job", pk=pk)


@require_GET
@needs("import_files")
def rejected(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The refused rows as they came, with the reasons: to correct and load again."""
    job = find_job(request, pk)
    header, rows = rejected_table(job)
    response = StreamingHttpResponse(csv_chunks(header, rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="rejected-{job.pk}.csv"'
    return response
