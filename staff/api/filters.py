"""Filters of the lists: only what is named here can be filtered, and only by values that the columns can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters as filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from staff.access import Actor
from staff.actions.intake.parsers import Parser, day, instant, truth
from staff.api.problems import Problem

Json = dict[str, Any]
PAGING = frozenset({"cursor", "page_size"})


class ParsedField(forms.CharField):
    """A form field that reads its text with a parser of intake."""

    def __init__(self, *args: Any, parse: Parser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parse = parse

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if text in (None, ""):
            return None
        try:
            return self.parse(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class ParsedFilter(filters.Filter):
    field_class = ParsedField
    parse: Parser
    schema: ClassVar[Json] = {"type": "string"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, parse=type(self).parse, **kwargs)


class InstantFilter(ParsedFilter):
    parse = staticmethod(instant)
    schema: ClassVar[Json] = {"type": "string", "format": "date-time"}


class DayFilter(ParsedFilter):
    parse = staticmethod(day)
    schema: ClassVar[Json] = {"type": "string", "format": "date"}


class TruthFilter(ParsedFilter):
    parse = staticmethod(truth)
    schema: ClassVar[Json] = {"type": "boolean"}


class IdFilter(filters.Filter):
    """Our own id of an object."""

    field_class = forms.IntegerField
    schema: ClassVar[Json] = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=2**63 - 1, **kwargs)


class TextFilter(filters.CharFilter):
    schema: ClassVar[Json] = {"type": "string", "maxLength": 120}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, max_length=120, **kwargs)


class ChoiceFilter(filters.ChoiceFilter):
    @property
    def schema(self) -> Mapping[str, Any]:
        return {"type": "string", "enum": [str(value) for value, _label in self.extra["choices"]]}


class DoorFilters(filters.FilterSet):
    """What every resource can be filtered by. `deeds`: filter -> deed; without it the filter does not exist."""

    deeds: Mapping[str, str] = {}
    source = TextFilter(field_name="source__code")
    external_id = TextFilter()


def filtered(found: QuerySet[Any], kind: type[DoorFilters], params: Mapping[str, Any], by: Actor) -> QuerySet[Any]:
    """`found` narrowed by the query parameters. Raises Problem 400 for parameters that are unknown or unreadable.

    A filter on a field that the reader may not see would be an oracle for it: to him it is unknown.
    """
    allowed = {name for name in kind.base_filters if name not in kind.deeds or by.may(kind.deeds[name])}
    unknown = sorted(set(params) - allowed - PAGING)
    if unknown:
        raise Problem(400, errors={name[:80]: [_("is not a parameter of this list")] for name in unknown})
    narrowed = kind(params, queryset=found)
    if not narrowed.is_valid():
        raise Problem(400, errors={name: [str(e) for e in errors] for name, errors in narrowed.errors.items()})
    found = narrowed.qs
    return found
