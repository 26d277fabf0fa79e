"""The five views that every door has: list and create, one, by external id, bulk. `routes(door)` hangs them in."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.db import transaction
from django.http import HttpResponse
from django.urls import URLPattern, path, register_converter
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.names import new_code
from staff import actions
from staff.access import Actor
from staff.actions.intake import CREATED, FAILED, UNCHANGED, UPDATED, RowResult
from staff.actions.intake.engine import quiet_memory
from staff.actions.sources import mark_fresh, source_named
from staff.api.described import described
from staff.api.doors import Door, Json
from staff.api.idempotency import once
from staff.api.problems import Problem
from staff.models import Source
from staff.models.base import OWN_SOURCE

MOST_ROWS = 5000
SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class IdConverter:
    """A positive number that fits the column."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(IdConverter, "id")


class DoorView(APIView):
    """`door` and `deeds` are set by `routes`."""

    door: ClassVar[Door]
    deeds: ClassVar[dict[str, str]] = {}
    metadata_class = None
    http_method_names = ["get", "post", "put", "patch", "head"]  # noqa: RUF012 as the base class declares it

    @property
    def by(self) -> Actor:
        return self.request._request.actor  # type: ignore[attr-defined,no-any-return]

    def body(self) -> Json:
        """The body as a JSON object. Raises Problem 422 for anything else."""
        data = self.request.data
        if not isinstance(data, dict):
            raise Problem(422, _("The body must be a JSON object."))
        return data

    def record(self, source: Source, rows: list[Any]) -> list[RowResult]:
        return self.door.record(source=source, rows=rows, by=self.by, now=timezone.now())

    def answer(self, status: int = 200, **lookup: Any) -> Response:
        """The object, read back; 404 outside the actor's scope. Opening a personal one is written down."""
        row = self.door.one_row(self.by, **lookup)
        if row is None:
            raise Problem(404)
        if self.door.personal and self.request.method == "GET":
            self._note_reading(row)
        headers = {"Location": self.location(row["id"])} if status == 201 else {}
        return Response(row, status=status, headers=headers)

    def _note_reading(self, row: Json) -> None:
        name = self.door.name
        patient = row["id"] if name == "patients" else row.get("patient")
        actions.record(
            by=self.by,
            deed=f"read_{name}",
            now=timezone.now(),
            object_kind=name,
            object_id=row["id"],
            patient_id=patient,
            fields=row,
        )

    def location(self, pk: int) -> str:
        return f"/api/v1/{self.door.name}/{pk}/"


def source_of(code: Any, *, foreign: bool = True) -> Source:
    """The source named in a body or path; a new one is made. Our own (`crm`) cannot be written by external id."""
    if not isinstance(code, str) or not SOURCE.fullmatch(code):
        raise Problem(422, errors={"source": [_("must be 1 to 40 Latin letters, digits, - and _")]})
    source = source_named(code=code)
    if foreign and source.pk == OWN_SOURCE:
        raise Problem(422, errors={"source": [_("is this product itself: create with POST, change with PATCH")]})
    return source


def refuse(result: RowResult) -> None:
    """Raise what the failed row means for a request about one object."""
    if result.status == FAILED:
        raise Problem(422, errors=result.errors)


class Collection(DoorView):
    def get(self, request: Request) -> Response:
        rows, cursor = self.door.page(request.query_params, self.by)
        following = None
        if cursor:
            query = request.query_params.copy()
            query["cursor"] = cursor
            following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
        return Response({"results": rows, "next": following, "next_cursor": cursor})

    def post(self, request: Request) -> HttpResponse:
        return once(request, self.by, self.create)

    def create(self) -> Response:
        row = self.body()
        source = source_of(row.pop("source", "crm"), foreign=False)
        if self.door.make and source.pk == OWN_SOURCE:
            return self.answer(201, pk=self.door.make(row=row, source=source, by=self.by, now=timezone.now()))
        row.setdefault("external_id", new_code())
        with transaction.atomic():
            (result,) = self.record(source, [row])
            refuse(result)
            if result.status != CREATED:
                raise Problem(409, _("There is one with this external id already."), {"external_id": [_("is taken")]})
        return self.answer(201, pk=result.id)


class Item(DoorView):
    def get(self, request: Request, pk: int) -> Response:
        return self.answer(pk=pk)

    def patch(self, request: Request, pk: int) -> Response:
        row = self.body()
        stored = self.door.scope(self.by).filter(pk=pk).select_related("source").first()
        if stored is None:
            raise Problem(404)
        for name, kept in (("external_id", stored.external_id), ("source", stored.source.code), ("id", pk)):
            if row.pop(name, kept) != kept:
                raise Problem(422, errors={name: [_("cannot be changed")]})
        (result,) = self.record(stored.source, [row | {"external_id": stored.external_id}])
        refuse(result)
        return self.answer(pk=pk)


class ByExternal(DoorView):
    def get(self, request: Request, source: str, external_id: str) -> Response:
        return self.answer(source__code=source, external_id=_external(external_id))

    def put(self, request: Request, source: str, external_id: str) -> Response:
        row, key = self.body(), _external(external_id)
        for name, named in (("external_id", key), ("source", source)):
            if row.pop(name, named) != named:
                raise Problem(422, errors={name: [_("differs from the address")]})
        found = source_of(source)
        if self.by.branch_id is not None and self._is_foreign(found, key):
            raise Problem(404)
        (result,) = self.record(found, [row | {"external_id": key}])
        refuse(result)
        return self.answer(201 if result.status == CREATED else 200, pk=result.id)

    def _is_foreign(self, source: Source, key: str) -> bool:
        known = self.door.resource.model._default_manager.filter(source=source, external_id=key).exists()
        return known and not self.door.scope(self.by).filter(source=source, external_id=key).exists()


def _external(text: str) -> str:
    if "\x00" in text or len(text) > 120:
        raise Problem(404)
    return text


class Bulk(DoorView):
    def post(self, request: Request) -> HttpResponse:
        return once(request, self.by, self.load)

    def load(self) -> Response:
        with quiet_memory():
            return self._load(self.body())

    def _load(self, body: Json) -> Response:
        unknown = sorted(set(body) - {"source", "rows"})
        if unknown:
            raise Problem(422, errors={name[:80]: [_("is not a field here")] for name in unknown})
        rows = body.get("rows")
        if not isinstance(rows, list):
            raise Problem(422, errors={"rows": [_("must be a list")]})
        if len(rows) > MOST_ROWS:
            raise Problem(413, _("At most %(limit)d rows at once.") % {"limit": MOST_ROWS})
        source = source_of(body.get("source"))
        results = self.record(source, rows)
        mark_fresh(source=source, now=timezone.now())
        return Response(bulk_answer(results))


def bulk_answer(results: list[RowResult]) -> Json:
    counts = dict.fromkeys((CREATED, UPDATED, UNCHANGED, FAILED), 0)
    listed = []
    for result in results:
        counts[result.status] += 1
        listed.append(
            {
                "index": result.index,
                "external_id": result.external_id,
                "id": result.id,
                "status": result.status,
                "errors": result.errors,
            }
        )
    return {**counts, "results": listed}


def routes(door: Door) -> list[URLPattern]:
    """`/{name}/`, `/{name}/bulk/`, `/{name}/by-external/{source}/{external_id}/`, `/{name}/{id}/`."""

    def view(kind: type[DoorView], **deeds: str) -> Any:
        name = f"{door.one.title().replace(' ', '')}{kind.__name__}"
        made: type[DoorView] = type(name, (kind,), {"door": door, "deeds": deeds, "__module__": __name__})
        return described(made, door).as_view()

    return [
        path(f"{door.name}/", view(Collection, GET="read_api", POST=door.write), name=f"{door.name}-list"),
        path(f"{door.name}/bulk/", view(Bulk, POST=door.write), name=f"{door.name}-bulk"),
        path(
            f"{door.name}/by-external/<slug:source>/<path:external_id>/",
            view(ByExternal, GET="read_api", PUT=door.write),
            name=f"{door.name}-external",
        ),
        path(f"{door.name}/<id:pk>/", view(Item, GET="read_api", PATCH=door.write), name=f"{door.name}-one"),
    ]
