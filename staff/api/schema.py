"""The contract itself: OpenAPI 3.1 and readable pages of it, for keys and signed-in staff."""

from __future__ import annotations

from typing import Any, ClassVar

from csp.decorators import csp_update
from django.urls import path, re_path
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.views import APIView

from staff.api.described import COMPONENTS
from staff.api.problems import Problem
from staff.authentication import HasDeed


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "staff.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Api-Key <key>`"}


class StaffScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "staff.authentication.StaffSession"
    name = "Session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "session"}


def add_components(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Hook of the generator: the schemas that operations refer to by name."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in COMPONENTS.items():
        schemas.setdefault(name, schema)
    return result


class SchemaView(SpectacularAPIView):
    deeds: ClassVar[dict[str, str]] = {"GET": "read_schema"}
    permission_classes = [HasDeed]  # noqa: RUF012 as the base class declares it
    renderer_classes = [  # noqa: RUF012
        OpenApiJsonRenderer2,
        OpenApiJsonRenderer,
        OpenApiYamlRenderer2,
        OpenApiYamlRenderer,
    ]

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]


class DocsView(SpectacularSwaggerSplitView):
    deeds: ClassVar[dict[str, str]] = {"GET": "read_schema"}
    permission_classes = [HasDeed]  # noqa: RUF012 as the base class declares it
    url_name = "api-schema"


class Nowhere(APIView):
    """Whatever address under /api/ nobody else answers: a problem, not a page."""

    deeds: ClassVar[dict[str, str]] = dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), "read_schema")

    @extend_schema(exclude=True)
    def get(self, request: Request, rest: str = "") -> Any:
        raise Problem(404)

    post = put = patch = delete = get


# The docs page carries one inline <style>; the looser policy is for this page only.
docs = csp_update({"style-src": ["'unsafe-inline'"]})(DocsView.as_view())

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", docs, name="api-docs"),
]
nowhere = re_path(r"^(?P<rest>[\s\S]*)$", Nowhere.as_view())
