"""OpenAPI of a door, made of what the door and its resource declare: nothing is described twice."""

from __future__ import annotations

from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.views import APIView

from staff.actions.intake import Field, Nested, Ref, Resource
from staff.api.doors import IDENTITY, KIND_SCHEMA, MOST, PAGE_SIZE, Column, Door, Json
from staff.api.filters import DoorFilters

COMPONENTS: dict[str, Json] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "request_id": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
                },
            },
        },
    },
    "BulkAnswer": {
        "type": "object",
        "required": ["created", "updated", "unchanged", "failed", "results"],
        "properties": {
            **{name: {"type": "integer"} for name in ("created", "updated", "unchanged", "failed")},
            "results": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["index", "external_id", "id", "status", "errors"],
                    "properties": {
                        "index": {"type": "integer"},
                        "external_id": {"type": "string"},
                        "id": {"type": ["integer", "null"]},
                        "status": {"type": "string", "enum": ["created", "updated", "unchanged", "failed"]},
                        "errors": {
                            "type": "object",
                            "additionalProperties": {"type": "array", "items": {"type": "string"}},
                        },
                    },
                },
            },
        },
    },
}
View = TypeVar("View", bound=APIView)
MEDIA = "application/problem+json"
ID: Json = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
CODE: Json = {"type": "string", "maxLength": 120}
READ_ERRORS, WRITE_ERRORS = (400, 401, 403, 404, 406, 429), (400, 401, 403, 404, 406, 409, 413, 415, 422, 429)
CURSOR = OpenApiParameter("cursor", {"type": "string"}, description="Opaque: `next_cursor` of the page before.")
SIZE = OpenApiParameter("page_size", {"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE_SIZE})
ONCE = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 120},
    OpenApiParameter.HEADER,
    description="The same request again under this key gets the first answer; kept for two days.",
)


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Json) -> Json:
    if "type" not in schema:
        return {"oneOf": [schema, {"type": "null"}]}
    found = {**schema, "type": [schema["type"], "null"]}
    return found | {"enum": [*schema["enum"], None]} if "enum" in schema else found


def errors(codes: tuple[int, ...]) -> dict[Any, Any]:
    return {(code, MEDIA): ref("Problem") for code in codes}


# --- schemas ----------------------------------------------------------------------------------------------------------
def answer_schema(door: Door) -> Json:
    properties = {column.name: _column(column) for column in (*IDENTITY, *door.columns)}
    properties |= {listed.name: {"type": "array", "items": listed.schema} for listed in door.lists}
    return {"type": "object", "required": ["id", "source", "external_id"], "properties": properties}


def _column(column: Column) -> Json:
    schema = KIND_SCHEMA[column.kind]
    schema = {**schema, "type": [schema["type"], "null"]} if column.null else schema
    return {**schema, "description": f"only with the deed {column.deed}"} if column.deed else schema


def row_schema(resource: Resource, *, key: bool = False) -> Json:
    """What a row may hold; `key`: with its own external id, as in bulk."""
    properties: dict[str, Any] = {"external_id": CODE} if key else {}
    for one in resource.keys:
        properties |= _properties(one)
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | {"required": ["external_id"]} if key else schema


def _properties(key: Field | Ref | Nested) -> Json:
    if isinstance(key, Ref):
        by_code = {**CODE, "type": ["string", "null"], "description": "external id of the same source"}
        return {key.name: by_code, key.inner: {**ID, "type": ["integer", "null"], "description": "our own id"}}
    if isinstance(key, Nested):
        return {key.name: {"type": ["array", "null"], "items": ref(key.of)}}
    return {key.name: nullable(dict(getattr(key.parse, "schema", {"type": "string"})))}


# --- operations -------------------------------------------------------------------------------------------------------
def described(view: type[View], door: Door) -> type[View]:
    """The view class with its operations described; fills COMPONENTS with the schemas of the door."""
    name = door.one.title().replace(" ", "")
    COMPONENTS[name], COMPONENTS[f"{name}Row"] = answer_schema(door), row_schema(door.resource)
    COMPONENTS[f"{name}BulkRow"] = row_schema(door.resource, key=True)
    kind = view.__bases__[0].__name__
    found: type[View] = extend_schema_view(**OPERATIONS[kind](door, name))(view)
    return found


def _collection(door: Door, name: str) -> dict[str, Any]:
    page = {
        "type": "object",
        "required": ["results", "next", "next_cursor"],
        "properties": {
            "results": {"type": "array", "items": ref(name)},
            "next": {"type": ["string", "null"]},
            "next_cursor": {"type": ["string", "null"]},
        },
    }
    body = dict(COMPONENTS[f"{name}Row"])
    body["properties"] = {"source": {"type": "string", "maxLength": 40}, "external_id": CODE, **body["properties"]}
    return {
        "get": _operation(door, "list", {200: page} | errors(READ_ERRORS), [*_filters(door.filters), CURSOR, SIZE]),
        "post": _operation(door, "create", {201: ref(name)} | errors(WRITE_ERRORS), [ONCE], body),
    }


def _filters(kind: type[DoorFilters]) -> list[OpenApiParameter]:
    return [
        OpenApiParameter(name, dict(getattr(one, "schema", {"type": "string"})), required=False)
        for name, one in kind.base_filters.items()
    ]


def _item(door: Door, name: str) -> dict[str, Any]:
    pk = [OpenApiParameter("id", ID, OpenApiParameter.PATH)]
    return {
        "get": _operation(door, "read", {200: ref(name)} | errors(READ_ERRORS), pk),
        "patch": _operation(door, "change", {200: ref(name)} | errors(WRITE_ERRORS), pk, ref(f"{name}Row")),
    }


def _by_external(door: Door, name: str) -> dict[str, Any]:
    address = [
        OpenApiParameter("source", {"type": "string", "maxLength": 40}, OpenApiParameter.PATH),
        OpenApiParameter("external_id", CODE, OpenApiParameter.PATH),
    ]
    done = {200: ref(name), 201: ref(name)}
    return {
        "get": _operation(door, "read by external id", {200: ref(name)} | errors(READ_ERRORS), address),
        "put": _operation(door, "upsert", done | errors(WRITE_ERRORS), address, ref(f"{name}Row")),
    }


def _bulk(door: Door, name: str) -> dict[str, Any]:
    body = {
        "type": "object",
        "required": ["source", "rows"],
        "additionalProperties": False,
        "properties": {
            "source": {"type": "string", "maxLength": 40},
            "rows": {"type": "array", "maxItems": 5000, "items": ref(f"{name}BulkRow")},
        },
    }
    return {"post": _operation(door, "bulk", {200: ref("BulkAnswer")} | errors(WRITE_ERRORS), [ONCE], body)}


def _operation(
    door: Door, verb: str, responses: Any, parameters: list[OpenApiParameter], body: Json | None = None
) -> Any:
    return extend_schema(
        operation_id=f"{door.name}_{verb.replace(' ', '_')}",
        summary=f"{door.name}: {verb}",
        tags=[door.name],
        parameters=parameters,
        responses=responses,
        request={"application/json": body} if body else None,
    )


OPERATIONS = {"Collection": _collection, "Item": _item, "ByExternal": _by_external, "Bulk": _bulk}
