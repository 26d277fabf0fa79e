"""The API's `bookings`: an MIS fetches what was booked here and has not been decided about, and says what becomes of it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from funnel import actions
from funnel.actions.mis_booking import ANSWERS, StaleAnswer
from funnel.queries.mis_booking import mis_row, of_place, phones_of, unanswered
from staff.access import Actor
from staff.actions import record
from staff.api.described import CURSOR, READ_ERRORS, SIZE, WRITE_ERRORS, errors, nullable
from staff.api.doors import KIND_SCHEMA, Json, cursor_of, cursor_values, page_size
from staff.api.filters import PAGING
from staff.api.problems import Problem

TEXT, INSTANT = KIND_SCHEMA["text"], KIND_SCHEMA["instant"]
NAMES = ("external_id", "last_name", "first_name", "middle_name")
PERSON: Json = {
    "type": "object",
    "properties": {
        **dict.fromkeys(NAMES, TEXT),
        "birth_date": nullable(KIND_SCHEMA["date"]),
        "phone": nullable(TEXT),
    },
}
BOOKING: Json = {
    "type": "object",
    "required": ["id", "external_id", "version", "deed"],
    "properties": {
        "id": KIND_SCHEMA["id"],
        "version": KIND_SCHEMA["integer"],
        "deed": {"type": "string", "enum": ["book", "cancel"]},
        **dict.fromkeys(("external_id", "doctor_id", "branch_id", "status"), TEXT),
        **dict.fromkeys(("room_id", "mis_id"), nullable(TEXT)),
        **dict.fromkeys(("start_at", "end_at"), INSTANT),
        "patient": PERSON,
    },
}
PAGE: Json = {
    "type": "object",
    "required": ["results", "next_cursor"],
    "properties": {"results": {"type": "array", "items": BOOKING}, "next_cursor": nullable(TEXT)},
}
ANSWER: Json = {
    "type": "object",
    "required": ["version", "state"],
    "additionalProperties": False,
    "properties": {
        "version": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
        "state": {"type": "string", "enum": list(ANSWERS)},
        "reason": {"type": "string", "maxLength": 300},
        "id": {"type": "string", "maxLength": 120, "description": "the booking's id in the MIS"},
    },
}
KNOWN: Json = {
    "type": "object",
    "required": ["id", "version", "state", "reason", "mis_id"],
    "properties": {
        "id": KIND_SCHEMA["id"],
        "version": KIND_SCHEMA["integer"],
        **dict.fromkeys(("state", "reason"), TEXT),
        "mis_id": nullable(TEXT),
    },
}


class BookingsView(APIView):
    """GET `bookings/`: bookings, moves and cancellations that the MIS has not decided about; the same until it answers."""

    deeds: ClassVar[dict[str, str]] = {"GET": "exchange_bookings"}
    http_method_names = ["get", "head"]  # noqa: RUF012 as the base class declares it

    @extend_schema(
        operation_id="bookings_list",
        summary="bookings: what the MIS has to decide about",
        tags=["bookings"],
        parameters=[CURSOR, SIZE],
        responses={200: PAGE} | errors(READ_ERRORS),
    )
    def get(self, request: Request) -> Response:
        params, by = request.query_params, _actor(request)
        unknown = sorted(set(params) - PAGING)
        if unknown:
            raise Problem(400, errors={name[:80]: [_("is not a parameter of this list")] for name in unknown})
        after, size = cursor_values(params, 1), page_size(params)
        found = unanswered(by).filter(pk__gt=after[0] if after else 0)
        rows = list(found[: size + 1])
        page = rows[:size]
        phones = phones_of(page)
        if page:
            record(by=by, deed="read_bookings", now=timezone.now(), object_kind="bookings", fields=("patient", "phone"))
        more = cursor_of(page[-1].pk) if len(rows) > size else None
        shown = [{"id": row.pk, **mis_row(row, phones.get(row.visit.patient_id, ""))} for row in page]
        return Response({"results": shown, "next_cursor": more})


class BookingAnswerView(APIView):
    """POST `bookings/<id>/answer/`: accepted, refused (a person is told), or taken for a later decision (sent)."""

    deeds: ClassVar[dict[str, str]] = {"POST": "exchange_bookings"}
    http_method_names = ["post"]  # noqa: RUF012 as the base class declares it

    @extend_schema(
        operation_id="bookings_answer",
        summary="bookings: what the MIS says of one",
        tags=["bookings"],
        request={"application/json": ANSWER},
        responses={200: KNOWN} | errors(WRITE_ERRORS),
    )
    def post(self, request: Request, pk: int) -> Response:
        by = _actor(request)
        row = of_place(by).filter(pk=pk).first()
        if row is None:
            raise Problem(404)
        said = _answer(request.data)
        try:
            now_known = actions.answer_booking(row=row, by=by, now=timezone.now(), **said)
        except StaleAnswer:
            raise Problem(409, _("The booking has changed since: fetch it again.")) from None
        return Response(
            {
                "id": now_known.pk,
                "version": now_known.version,
                "state": now_known.state,
                "reason": now_known.reason,
                "mis_id": now_known.mis_id or None,
            }
        )


def _actor(request: Request) -> Actor:
    return request._request.actor  # type: ignore[attr-defined,no-any-return]


def _answer(body: Any) -> dict[str, Any]:
    """The body as `answer_booking` wants it. Raises Problem 422."""
    if not isinstance(body, dict):
        raise Problem(422, _("The body must be a JSON object."))
    faults = {str(name)[:80]: [_("is not a field here")] for name in set(body) - set(ANSWER["properties"])}
    version = body.get("version")
    if not (type(version) is int and 1 <= version < 2**31):
        faults["version"] = [_("must be the number that the booking came with")]
    if body.get("state") not in ANSWERS:
        faults["state"] = [_("must be one of %(names)s") % {"names": ", ".join(ANSWERS)}]
    for name, most in (("reason", 300), ("id", 120)):
        text = body.get(name, "")
        if not isinstance(text, str) or len(text) > most or "\x00" in text:
            faults[name] = [_("must be a text of at most %(limit)d characters") % {"limit": most}]
    if faults:
        raise Problem(422, errors=faults)
    return {
        "version": version,
        "state": body["state"],
        "reason": body.get("reason", ""),
        "mis_id": body.get("id", ""),
    }
