"""Sources: the tree of channels, and the signs by which an enquiry is known to come from one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.pages import page_after
from funnel.actions.channels import BadMark, MarkTaken, add_mark, remove_mark
from funnel.forms.channels import ChannelForm, MarkForm
from funnel.models import ChannelMark
from funnel.queries.channels import channel_tree
from patients.actions.channels import Circle, save_channel
from patients.models import Channel
from staff.access import Actor, needs


def actor_of(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def source_tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """url, label, current of the pages about sources."""
    pages = [
        ("funnel:sources", _("Sources")),
        ("funnel:lead_doors", _("Forms and sites")),
        ("funnel:traffic", _("Traffic")),
    ]
    return [{"url": reverse(name), "label": label, "current": request.path == reverse(name)} for name, label in pages]


def gone_to(name: str, *args: Any) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse(name, args=args), status=303)


@needs("edit_channels")
@require_GET
def sources(request: HttpRequest) -> HttpResponse:
    return render(request, "funnel/sources.html", {"tree": channel_tree(), "tabs": source_tabs(request)})


@needs("edit_channels")
@require_http_methods(["GET", "POST"])
def source_new(request: HttpRequest) -> HttpResponse:
    return _saved(request, None)


@needs("edit_channels")
@require_http_methods(["GET", "POST"])
def source(request: HttpRequest, pk: int) -> HttpResponse:
    """One channel: its place in the tree and its signs."""
    return _saved(request, get_object_or_404(Channel, pk=pk))


def _saved(request: HttpRequest, channel: Channel | None) -> HttpResponse:
    initial = {name: getattr(channel, name) for name in ("name", "kind", "parent")} if channel else None
    form = ChannelForm(request.POST or None, channel=channel, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = save_channel(channel=channel, **form.cleaned_data, by=actor_of(request), now=timezone.now())
        except Circle:
            form.add_error("parent", _("It stands below this source itself."))
        else:
            messages.success(request, _("Saved."))
            return gone_to("funnel:source", made.pk)
    return _page(request, channel, form, MarkForm())


def _page(request: HttpRequest, channel: Channel | None, form: ChannelForm, sign: MarkForm) -> HttpResponse:
    marks, following = page_after(ChannelMark.objects.filter(channel=channel).order_by("id"), _after(request))
    context = {"channel": channel, "form": form, "sign": sign, "marks": marks, "after": following}
    return render(request, "funnel/source.html", context, status=422 if form.errors or sign.errors else 200)


def _after(request: HttpRequest) -> str:
    return str(request.GET.get("after", ""))


@needs("edit_channels")
@require_POST
def mark_add(request: HttpRequest, pk: int) -> HttpResponse:
    channel = get_object_or_404(Channel, pk=pk)
    sign = MarkForm(request.POST)
    if sign.is_valid():
        try:
            add_mark(channel=channel, **sign.cleaned_data, by=actor_of(request), now=timezone.now())
        except BadMark:
            sign.add_error("value", _("No enquiry could bear this."))
        except MarkTaken as taken:
            sign.add_error("value", _("This sign means “%(name)s” already.") % {"name": taken})
        else:
            messages.success(request, _("The sign was added."))
            return gone_to("funnel:source", pk)
    initial = {name: getattr(channel, name) for name in ("name", "kind", "parent")}
    return _page(request, channel, ChannelForm(channel=channel, initial=initial), sign)


@needs("edit_channels")
@require_POST
def mark_remove(request: HttpRequest, pk: int) -> HttpResponse:
    mark = get_object_or_404(ChannelMark, pk=pk)
    remove_mark(mark=mark, by=actor_of(request), now=timezone.now())
    messages.success(request, _("The sign was removed. Leads that are there keep their source."))
    return gone_to("funnel:source", mark.channel_id)
