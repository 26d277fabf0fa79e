"""The audit log, newest first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.pages import page_after
from staff.access import Actor, needs
from staff.forms.clinic import AuditForm
from staff.queries.audit import AuditFilter, audit_entries
from staff.queries.people import visible_keys, visible_users
from staff.views.audit_words import NOBODY, deed_options, said


@needs("see_audit")
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    by: Actor = request.actor  # type: ignore[attr-defined]
    form = AuditForm(request.GET)
    valid = form.is_valid()
    data = form.cleaned_data
    wanted = AuditFilter(
        data.get("who", ""), data.get("patient"), data.get("deed", ""), data.get("since"), data.get("until")
    )
    entries, after = (
        page_after(audit_entries(by=by, wanted=wanted), str(data.get("after") or "")) if valid else ([], None)
    )
    page = {"form": form, "rows": said(entries), "after": after, "people": _people(by, wanted.who), "wanted": wanted}
    page |= {"deeds": deed_options(wanted.deed)}
    return render(request, "staff/audit.html", page, status=200 if valid else 422)


def _people(by: Actor, chosen: str) -> list[dict[str, Any]]:
    """Options of the filter by person: the first 200 accounts and 100 keys."""
    users = [(f"user:{user.pk}", str(user)) for user in visible_users(by).order_by("full_name")[:200]]
    keys = [(f"key:{key.pk}", f"{key} (API)") for key in visible_keys(by).order_by("name")[:100]]
    every = [("", "—"), *users, *keys, *NOBODY.items()]
    return [{"value": value, "label": label, "selected": value == chosen} for value, label in every]
