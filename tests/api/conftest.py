from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from core.names import new_code
from staff.models import ApiKey
from tests import make


class Api:
    """A client with a key: `api.post("visits/", {...})` returns the response, its JSON under `.json()`."""

    def __init__(self, text: str) -> None:
        self.client, self.text = Client(), text

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        kind = headers.pop("content_type", "application/json")
        extra = {"headers": {"Authorization": f"Api-Key {self.text}", "Accept-Language": "en", **headers}}
        return self.client.generic(method, f"/api/v1/{path}", data if body is not None else "", kind, **extra)

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("PATCH", path, body, **headers)

    def bulk(self, resource: str, *rows: Any, source: str = "mis") -> Any:
        return self.post(f"{resource}/bulk/", {"source": source, "rows": list(rows)})


def key_of(role: str = "integration", **fields: Any) -> str:
    text = f"{new_code()}.{new_code()}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    ApiKey.objects.create(
        name="test", prefix=text.partition(".")[0], digest=digest, role=role, created_at=make.NOW, **fields
    )
    return text


@pytest.fixture
def keys(db: Any) -> Callable[..., Api]:
    return lambda role="integration", **fields: Api(key_of(role, **fields))


@pytest.fixture
def api(keys: Any) -> Api:
    return keys()
