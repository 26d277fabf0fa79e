"""`/api/v1/metrics/`: the registry, figures, and the rows behind them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics import actions
from analytics.metrics import REGISTRY, BadParams, Metric, NotAllowed, NotYours
from analytics.metrics.columns import COLUMNS
from analytics.metrics.params import AUDIENCE, COMMON, OWN, Param
from analytics.queries.answers import Question, asked
from analytics.queries.rows import BadCursor, page
from staff.api import Problem
from staff.api.described import CURSOR, READ_ERRORS, SIZE, errors

PAGE_SIZE, MAX_PAGE_SIZE = 50, 200
QUERY = [
    OpenApiParameter(p.name, p.schema, description=str(p.text)) for p in (*OWN.values(), AUDIENCE, *COMMON.values())
]
SLUG = OpenApiParameter("slug", {"type": "string", "enum": list(REGISTRY)}, OpenApiParameter.PATH)
DAY = {"type": "string", "format": "date"}
OBJECTS = {"type": "array", "items": {"type": "object"}}
HEAD = {
    "metric": {"type": "string"},
    "params": {"type": "object"},
    "as_of": DAY,
    "definition_version": {"type": "integer"},
}
NULLABLE = {"type": ["string", "null"]}


def object_of(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


LIST = object_of(results=OBJECTS)
ANSWER = object_of(**HEAD, result={})
ROWS = object_of(**HEAD, columns={"type": "object"}, results=OBJECTS, next=NULLABLE, next_cursor=NULLABLE)


def question_of(request: Request, slug: str, drop: tuple[str, ...] = ()) -> Question:
    """The question in the address. Raises the problems that the API answers with."""
    if slug not in REGISTRY:
        raise NotFound
    params = single(request.query_params, drop)
    try:
        return asked(slug, params, timezone.now(), request._request.actor)  # type: ignore[attr-defined]
    except BadParams as error:
        raise Problem(400, errors={name: [text] for name, text in error.errors.items()}) from error
    except NotYours as error:
        raise NotFound from error
    except NotAllowed as error:
        raise PermissionDenied from error


def single(query: QueryDict, drop: tuple[str, ...]) -> dict[str, str]:
    """Parameters by name; one that is given twice is refused, for either value could be meant."""
    for name, values in query.lists():
        if len(values) > 1:
            raise Problem(400, errors={name: [_("Give this parameter once.")]})
    return {name: str(value) for name, value in query.items() if name not in drop}


def described(metric: Metric) -> dict[str, Any]:
    texts = ("code", "name", "question", "formula", "unit", "population", "window", "example")
    return {
        "metric": metric.slug,
        **{name: str(getattr(metric, name)) for name in texts},
        "definition_version": metric.version,
        "params": [param_of(param, name in metric.params) for name, param in (metric.own | COMMON).items()],
        "columns": columns_of(metric),
    }


def param_of(param: Param, required: bool) -> dict[str, Any]:
    return {"name": param.name, "required": required, "schema": param.described, "description": str(param.text)}


def columns_of(metric: Metric) -> dict[str, dict[str, str]]:
    return {name: {"type": COLUMNS[name].kind, "description": str(COLUMNS[name].text)} for name in metric.columns}


class RegistryView(APIView):
    """Every metric: what it answers, how it is counted, what it takes, and the columns of its rows."""

    deeds: ClassVar = {"GET": "read_metrics"}

    @extend_schema(
        operation_id="metrics_list",
        summary="metrics: the registry",
        tags=["metrics"],
        responses={200: LIST} | errors(READ_ERRORS),
    )
    def get(self, request: Request) -> Response:
        for name in request.query_params:
            raise Problem(400, errors={name[:80]: [_("This list has no such parameter.")]})
        return Response({"results": [described(metric) for metric in REGISTRY.values()]})


class MetricView(APIView):
    """One figure. The parameters that a metric takes stand in the registry."""

    deeds: ClassVar = {"GET": "read_metrics"}

    @extend_schema(
        operation_id="metrics_read",
        summary="metrics: one figure",
        tags=["metrics"],
        parameters=[SLUG, *QUERY],
        responses={200: ANSWER} | errors(READ_ERRORS),
    )
    def get(self, request: Request, slug: str) -> Response:
        question = question_of(request, slug)
        result = actions.answer(asked=question, now=timezone.now())
        return Response(head(question) | {"result": result})


def head(question: Question) -> dict[str, Any]:
    return {
        "metric": question.metric.slug,
        "params": question.params,
        "as_of": question.scope.as_of.isoformat(),
        "definition_version": question.metric.version,
    }


class MetricRowsView(APIView):
    """The very rows of a figure: it can be worked out again from them alone."""

    deeds: ClassVar = {"GET": "read_metrics"}

    @extend_schema(
        operation_id="metrics_rows",
        summary="metrics: the rows of a figure",
        tags=["metrics"],
        parameters=[SLUG, *QUERY, CURSOR, SIZE],
        responses={200: ROWS} | errors(READ_ERRORS),
    )
    def get(self, request: Request, slug: str) -> Response:
        question = question_of(request, slug, ("cursor", "page_size"))
        try:
            found = page(question, request.query_params.get("cursor"), page_size(request))
        except BadCursor as error:
            raise Problem(400, errors={"cursor": [_("This cursor does not belong to this list.")]}) from error
        following = next_url(request, found.after)
        columns = columns_of(question.metric)
        return Response(
            head(question) | {"columns": columns, "results": found.rows, "next": following, "next_cursor": found.after}
        )


def page_size(request: Request) -> int:
    text = request.query_params.get("page_size", str(PAGE_SIZE))
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MAX_PAGE_SIZE):
        raise Problem(400, errors={"page_size": [_("Enter a whole number from 1 to 200.")]})
    return int(text)


def next_url(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = request.query_params.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
