"""What an automation is: who is due, what goes out, until when it makes sense, once per what.

Declared in the room that knows who is due and registered in its `AppConfig.ready`. `who(now)` is a queryset of visits,
of patients, or of any model with a `patient`; `until` and `once_per` are expressions over that model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise


@dataclass(frozen=True)
class Automation:
    """`code` stands in keys, settings and statistics and never changes. `template` is a code of `rules.texts`.

    `by_clock`: planned by every tick; False = planned by `followup` when a fact arrives.
    """

    code: str
    name: str | Promise
    explains: str | Promise
    purpose: str
    template: str
    who: Callable[[datetime], Any]
    until: Any
    once_per: tuple[Any, ...]
    by_clock: bool = True
