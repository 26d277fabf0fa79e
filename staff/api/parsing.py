"""JSON as it should be: what Python's reader forgives is a fault of the sender and answers 400, never 500."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class StrictJSONParser(JSONParser):
    """UTF-8 JSON without NaN, duplicate keys, NUL, lone surrogates, or nesting and numbers without end."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {})["request"]
        return strict_json(request._request.body)


def strict_json(raw: bytes) -> Any:
    """Raises ParseError (400) with the reason."""
    try:
        text = raw.decode("utf-8")
        if "\\u0000" in text:
            raise ValueError("NUL")
        found = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
        if SURROGATE.search(text):
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ParseError(_("The JSON is nested too deeply.")) from None
    except ValueError as error:
        raise ParseError(_("This is not proper JSON: %(reason)s") % {"reason": str(error)[:200]}) from None
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
