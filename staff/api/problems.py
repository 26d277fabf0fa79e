"""Every error of the API is an RFC 9457 problem, whatever the client says that it accepts."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import defaults
from rest_framework import exceptions

from core.logs import request_id

logger = logging.getLogger("django.request")
Errors = Mapping[str, list[str]]

TITLES = {
    400: gettext_lazy("The request cannot be understood"),
    401: gettext_lazy("Who are you?"),
    403: gettext_lazy("You may not do this"),
    404: gettext_lazy("There is no such thing"),
    405: gettext_lazy("This cannot be done here"),
    406: gettext_lazy("Only JSON is spoken here"),
    409: gettext_lazy("This contradicts what is there already"),
    413: gettext_lazy("Too much at once"),
    415: gettext_lazy("Send JSON"),
    422: gettext_lazy("The contents are not right"),
    429: gettext_lazy("Too many requests"),
    500: gettext_lazy("A fault on our side"),
}
NAMES = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "too-many-requests",
    500: "internal",
}


class Problem(exceptions.APIException):
    """Raise it in a view: `Problem(422, detail, errors={"field": ["reason"]})`. `extra` joins the body."""

    def __init__(self, status: int, detail: str = "", errors: Errors | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.status_code, self.text, self.errors, self.extra = status, detail, errors or {}, extra


def problem_response(
    status: int, detail: str = "", errors: Errors | None = None, extra: Mapping[str, Any] | None = None
) -> HttpResponse:
    """`{type, title, status, detail, errors: [{field, detail}], request_id}` as application/problem+json."""
    body: dict[str, Any] = {
        "type": f"urn:clinic-crm:problem:{NAMES.get(status, 'error')}",
        "title": str(TITLES.get(status, TITLES[400])),
        "status": status,
        "detail": detail or str(TITLES.get(status, "")),
        "request_id": request_id.get(),
    }
    if errors:
        body["errors"] = [{"field": name, "detail": text} for name, texts in errors.items() for text in texts]
    body |= extra or {}
    return JsonResponse(
        body, status=status, content_type="application/problem+json", json_dumps_params={"ensure_ascii": False}
    )


def problem(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's exception handler: any exception becomes a problem; one that nobody foresaw is logged and answers 500."""
    if isinstance(exc, Problem):
        return problem_response(exc.status_code, exc.text, exc.errors, exc.extra)
    if isinstance(exc, Http404):
        return problem_response(404)
    if isinstance(exc, PermissionDenied):
        return problem_response(403)
    if isinstance(exc, RequestDataTooBig):
        return problem_response(413, _("The body is larger than this server takes."))
    if isinstance(exc, exceptions.APIException):
        return _from_drf(exc)
    logger.error("unforeseen", exc_info=exc)
    return problem_response(500)


def _from_drf(exc: exceptions.APIException) -> HttpResponse:
    if isinstance(exc, exceptions.ValidationError):
        return problem_response(422, errors=_flat(exc.detail))
    response = problem_response(exc.status_code, str(exc.detail))
    header = getattr(exc, "auth_header", None)
    if header:
        response.headers["WWW-Authenticate"] = header
    wait = getattr(exc, "wait", None)
    if exc.status_code == 429:
        response.headers["Retry-After"] = str(max(1, int(wait or 1)))
    return response


def _flat(detail: Any) -> dict[str, list[str]]:
    if isinstance(detail, Mapping):
        return {
            str(name): [str(text) for text in texts] if isinstance(texts, list) else [str(texts)]
            for name, texts in detail.items()
        }
    return {"": [str(text) for text in (detail if isinstance(detail, list) else [detail])]}


# --- What fails before a view is found --------------------------------------------------------------------------------
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler400` of the URLconf: a problem under /api/, Django's page elsewhere."""
    return problem_response(400) if _api(request) else defaults.bad_request(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(404) if _api(request) else defaults.page_not_found(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(403) if _api(request) else defaults.permission_denied(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_response(500) if _api(request) else defaults.server_error(request)


def _api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")
