"""`/api/v1/templates/`: the texts that go out, as they stand, and their editing with the linter's word."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging import actions, automations, queries
from messaging.forms import FAULTS, spoken
from messaging.models import Template
from messaging.queries.lint import findings
from messaging.queries.texts import TRANSPORTS
from messaging.rules.placeholders import LONGEST, BadTemplate
from messaging.rules.texts import LANGUAGES, Wording
from patients.models.contact import ADVERTISES
from staff.access import Actor
from staff.api import Problem
from staff.api.described import READ_ERRORS, errors

FIELDS = ("subject", "body", "promotion", "link", "without_warning")
MOST = {"subject": 200, "link": 500, "without_warning": 200}
IS_ADDRESS = URLValidator(schemes=["https"])  # as the page asks: the redirect of a click leads nowhere else
TEXT = {"type": "string"}
SCHEMA = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("code", "transport", "language", *FIELDS), TEXT),
        "advertises": {"type": "boolean"},
        "findings": {"type": "array", "items": {"type": "object"}},
    },
}
BODY = {
    "type": "object",
    "properties": dict.fromkeys(FIELDS, TEXT),
    "required": ["body"],
    "additionalProperties": False,
}
PLACE = [
    OpenApiParameter("code", TEXT, OpenApiParameter.PATH),
    OpenApiParameter("transport", TEXT | {"enum": list(TRANSPORTS)}, OpenApiParameter.PATH),
    OpenApiParameter("language", TEXT | {"enum": list(LANGUAGES)}, OpenApiParameter.PATH),
]


def _advertising() -> dict[str, bool]:
    """Code of a text → whether its automation advertises."""
    return {automation.template: automation.purpose in ADVERTISES for automation in automations.registered()}


def _shown(code: str, transport: str, language: str, words: Wording, *, advertises: bool) -> dict[str, Any]:
    return {
        "code": code,
        "transport": transport,
        "language": language,
        **{name: getattr(words, name) for name in FIELDS},
        "advertises": advertises,
    }


class TemplateListView(APIView):
    """Every text of every automation. There are a few dozen: no pages."""

    deeds: ClassVar = {"GET": "read_api"}

    @extend_schema(
        operation_id="templates_list",
        summary="templates: all texts",
        tags=["templates"],
        responses={200: {"type": "object", "properties": {"results": {"type": "array", "items": SCHEMA}}}}
        | errors(READ_ERRORS),
    )
    def get(self, request: Request) -> Response:
        for name in request.query_params:
            raise Problem(400, errors={name[:80]: [_("This list has no such parameter.")]})
        codes = _advertising()
        rows = queries.template_rows(list(codes))
        return Response(
            {
                "results": [
                    _shown(row.code, row.transport, row.language, row.wording, advertises=codes[row.code])
                    for row in rows
                ]
            }
        )


class TemplateView(APIView):
    """One text: read, or replaced as a whole. What the linter calls an error is refused, the rest comes as findings."""

    deeds: ClassVar = {"GET": "read_api", "PUT": "edit_messages"}
    http_method_names = ["get", "put", "head"]  # noqa: RUF012 as the base class declares it

    @extend_schema(
        operation_id="templates_read",
        summary="templates: one text",
        tags=["templates"],
        parameters=PLACE,
        responses={200: SCHEMA} | errors(READ_ERRORS),
    )
    def get(self, request: Request, code: str, transport: str, language: str) -> Response:
        advertises = self._place(code, transport, language)
        words = queries.wording(code, transport, language)
        if words is None:
            raise Problem(404)
        found = findings(words, transport=transport, language=language, advertises=advertises)
        body = _shown(code, transport, language, words, advertises=advertises)
        said = [{"code": one.code, "is_error": one.is_error, "detail": spoken(one)} for one in found]
        return Response(body | {"findings": said})

    @extend_schema(
        operation_id="templates_replace",
        summary="templates: replace one text",
        tags=["templates"],
        parameters=PLACE,
        request={"application/json": BODY},
        responses={200: SCHEMA} | errors((*READ_ERRORS, 415, 422)),
    )
    def put(self, request: Request, code: str, transport: str, language: str) -> Response:
        advertises = self._place(code, transport, language)
        words = _words(request.data)
        by: Actor = request._request.actor  # type: ignore[attr-defined]
        place = {"code": code, "transport": transport, "language": language}
        try:
            with transaction.atomic():
                kept = Template.objects.filter(**place).select_related("picture").first()
                actions.save_template(
                    code=code,
                    transport=transport,
                    language=language,
                    body=words["body"],
                    subject=words["subject"],
                    promotion=words["promotion"],
                    link=words["link"],
                    without_warning=words["without_warning"],
                    picture=kept.picture if kept else None,
                    advertises=advertises,
                    by=by,
                    now=timezone.now(),
                )
        except BadTemplate as error:
            raise Problem(422, errors={"body": [str(FAULTS[error.what] % {"word": error.word})]}) from None
        except actions.BadText as error:
            raise Problem(422, errors={"body": [spoken(one) for one in error.findings]}) from None
        return self.get(request, code, transport, language)

    def _place(self, code: str, transport: str, language: str) -> bool:
        """Whether the text advertises. Raises Problem 404 for a text that no automation sends."""
        codes = _advertising()
        if code not in codes or transport not in TRANSPORTS or language not in LANGUAGES:
            raise Problem(404)
        return codes[code]


def _words(data: Any) -> dict[str, str]:
    """The fields of the body as texts; a picture stays as it is. Raises Problem 422 for anything else."""
    if not isinstance(data, dict):
        raise Problem(422, _("The body must be a JSON object."))
    wrong = {name[:80]: [_("is not a field here")] for name in sorted(set(data) - set(FIELDS))}
    for name in FIELDS:
        value = data.get(name, "")
        if not isinstance(value, str) or "\x00" in value:
            wrong[name] = [_("must be text")]
        elif len(value) > MOST.get(name, LONGEST):
            wrong[name] = [_("is longer than %(limit)d characters") % {"limit": MOST.get(name, LONGEST)}]
    if not wrong and data.get("link"):
        try:
            IS_ADDRESS(data["link"])
        except ValidationError:
            wrong["link"] = [_("must be a web address (https://…)")]
    if wrong:
        raise Problem(422, errors=wrong)
    return {name: str(data.get(name, "")).replace("\r\n", "\n").strip() for name in FIELDS}
