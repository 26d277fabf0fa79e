"""The mailbox of the demo: what the sending transport has put into it, and nothing else."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from messaging.queries import mailbox_page, queue_length
from messaging.views.outbox import actor, local_times
from staff.access import needs


@needs("see_outbox")
def mailbox(request: HttpRequest) -> HttpResponse:
    context = {"items": mailbox_page(limit=100), "waiting": queue_length()}
    with local_times(actor(request)):
        return render(request, "demo/mailbox.html", context)
