"""`GET /api/v1/changes/`: what changed, was deleted or was merged, in an order in which nothing is missed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from patients.actions.money import own_payments
from patients.queries.scope import visible_patients
from staff.access import Actor
from staff.api.described import CURSOR, READ_ERRORS, SIZE, errors
from staff.api.doors import Json, cursor_of, cursor_values, instant_text, page_size
from staff.api.filters import PAGING
from staff.api.problems import Problem
from staff.models import Change
from staff.queries.changes import settled_changes

COMMON = ("branches", "doctors", "services", "channels", "spend", "shifts")
LINE = {
    "type": "object",
    "properties": {
        "resource": {"type": "string"},
        "id": {"type": "integer"},
        "kind": {"type": "string", "enum": Change.Kind.values},
        "source": {"type": "string"},
        "external_id": {"type": "string"},
        "target": {"type": ["integer", "null"], "description": "the survivor of a merge"},
        "at": {"type": "string", "format": "date-time"},
    },
}
PAGE = {
    "type": "object",
    "properties": {
        "results": {"type": "array", "items": LINE},
        "next": {"type": ["string", "null"], "description": "null: nothing more now"},
        "next_cursor": {"type": ["string", "null"], "description": "where to go on later, also when next is null"},
    },
}


def visible_changes(lines: QuerySet[Change], by: Actor) -> QuerySet[Change]:
    """A key bound to a branch sees the lines of its branch, of its visible patients, and of what is common."""
    if by.branch_id is None:
        return lines
    return lines.filter(
        Q(branch_id=by.branch_id)
        | Q(branch_id=None, resource__in=COMMON)
        | Q(resource="patients", object_id__in=visible_patients(by).values("pk"))
        | Q(resource="payments", object_id__in=own_payments(by).values("pk"))
    )


class ChangesView(APIView):
    deeds: ClassVar[dict[str, str]] = {"GET": "read_api"}

    @extend_schema(
        operation_id="changes_list",
        summary="changes: what happened since",
        tags=["changes"],
        parameters=[CURSOR, SIZE],
        responses={200: PAGE} | errors(READ_ERRORS),
    )
    def get(self, request: Request) -> Response:
        params, by = request.query_params, request._request.actor  # type: ignore[attr-defined]
        unknown = sorted(set(params) - PAGING)
        if unknown:
            raise Problem(400, errors={name[:80]: [_("is not a parameter of this list")] for name in unknown})
        after, size = cursor_values(params, 2), page_size(params)
        lines = list(visible_changes(settled_changes(after), by)[: size + 1])
        page = lines[:size]
        last = cursor_of(page[-1].xact, page[-1].pk) if page else params.get("cursor") or None
        more = len(lines) > size
        following = request.build_absolute_uri(f"{request.path}?cursor={last}&page_size={size}") if more else None
        return Response({"results": [_line(line) for line in page], "next": following, "next_cursor": last})


def _line(line: Change) -> Json:
    found: dict[str, Any] = {
        "resource": line.resource,
        "id": line.object_id,
        "kind": line.kind,
        "source": line.source_code,
        "external_id": line.external_id,
        "target": line.target_id,
        "at": instant_text(line.at),
    }
    return found
