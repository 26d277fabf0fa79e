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


class Improper(ValueError):
    """Python would read it, JSON does not have it. The text is for the sender, in his language."""


def strict_json(raw: bytes) -> Any:
    """Raises ParseError (400) with the reason in our own words: texts of Python's exceptions are nobody's business."""
    try:
        return _read(raw.decode("utf-8"))
    except RecursionError:
        raise ParseError(_("The JSON is nested too deeply.")) from None
    except Improper as error:
        raise ParseError(str(error)) from None
    except UnicodeDecodeError:
        raise ParseError(_("The body is not UTF-8.")) from None
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        raise ParseError(_("This is not proper JSON: line %(line)d, column %(column)d.") % place) from None
    except ValueError:  # a number of more digits than Python reads, a lone surrogate
        raise ParseError(_("This is not proper JSON.")) from None


def _read(text: str) -> Any:
    if text.startswith("\ufeff"):
        raise Improper(_("The JSON begins with a byte order mark; send it without."))
    if "\\u0000" in text:
        raise Improper(_("The JSON holds a NUL character."))
    found = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    if SURROGATE.search(text):
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    return found


def _no_constant(name: str) -> Any:
    raise Improper(_("%(name)s is not JSON.") % {"name": name})


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Improper(_("A key stands twice in one object of the JSON."))
    return found
