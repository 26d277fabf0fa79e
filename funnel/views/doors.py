"""The clinic's own public doors: forms for its sites, and sites that post signed."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from core.pages import page_after
from funnel.actions.doors import CodeTaken, make_hook, revoke_hook, save_form
from funnel.forms.doors import HookForm, LeadFormForm
from funnel.models import LeadForm, LeadHook
from funnel.views.channels import actor_of, gone_to, source_tabs
from staff.access import needs


@needs("edit_channels")
@never_cache
@require_http_methods(["GET", "POST"])
def lead_doors(request: HttpRequest) -> HttpResponse:
    """Forms and sites; a POST makes a site and shows its secret, once."""
    form, secret, address = HookForm(request.POST or None), "", ""
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data | {"code": form.cleaned_data["code"].lower()}
        try:
            hook, secret = make_hook(**data, by=actor_of(request), now=timezone.now())
            form, address = HookForm(), _public(reverse("lead-hook", args=[hook.source.code]))
        except CodeTaken:
            form.add_error("code", _("Another system has this code."))
    forms, after_forms = page_after(LeadForm.objects.select_related("channel").order_by("id"), _key(request, "forms"))
    hooks, after_hooks = page_after(
        LeadHook.objects.select_related("source", "channel", "created_by").order_by("-id"), _key(request, "hooks")
    )
    context = {
        "forms": forms,
        "after_forms": after_forms,
        "hooks": hooks,
        "after_hooks": after_hooks,
        "form": form,
        "secret": secret,
        "address": address,
        "tabs": source_tabs(request),
    }
    return render(request, "funnel/lead_doors.html", context, status=422 if form.errors else 200)


def _key(request: HttpRequest, name: str) -> str:
    return str(request.GET.get(name, ""))


def _public(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"


@needs("edit_channels")
@require_http_methods(["GET", "POST"])
def lead_form_new(request: HttpRequest) -> HttpResponse:
    return _saved(request, None)


@needs("edit_channels")
@require_http_methods(["GET", "POST"])
def lead_form_edit(request: HttpRequest, pk: int) -> HttpResponse:
    return _saved(request, get_object_or_404(LeadForm, pk=pk))


def _saved(request: HttpRequest, row: LeadForm | None) -> HttpResponse:
    form = LeadFormForm(request.POST or None, row=row)
    if request.method == "POST" and form.is_valid():
        try:
            made = save_form(draft=form.draft, form=row, by=actor_of(request), now=timezone.now())
        except CodeTaken:
            form.add_error("code", _("Another form has this code."))
        else:
            messages.success(request, _("Saved."))
            return gone_to("funnel:lead_form_edit", made.pk)
    context = {"row": row, "form": form, "address": "", "snippet": ""}
    if row is not None:
        context |= {"address": _public(reverse("lead-form", args=[row.code])), "snippet": _snippet(row)}
    return render(request, "funnel/lead_form.html", context, status=422 if form.errors else 200)


def _snippet(row: LeadForm) -> str:
    """The words to copy into the clinic's page. No script: a frame, with the language of that page to be chosen."""
    return format_html(
        '<iframe src="{}?lang=ru" title="{}" width="100%" height="640" sandbox="allow-forms" loading="lazy"></iframe>',
        _public(reverse("lead-widget", args=[row.code])),
        row.title or _("Ask a question"),
    )


@needs("edit_channels")
@require_POST
def lead_hook_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    hook = get_object_or_404(LeadHook, pk=pk)
    revoke_hook(hook=hook, by=actor_of(request), now=timezone.now())
    messages.success(request, _("The secret is revoked: its posts are refused at once."))
    return gone_to("funnel:lead_doors")
