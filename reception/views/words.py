"""Codes of the timeline as people say them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.utils.translation import gettext_lazy as _

from messaging.queries.why import why
from patients.queries.card import Moment
from reception.forms.work import OUTCOMES

OUTCOME = {
    **dict(OUTCOMES),
    "completed": _("completed"),
    "came late": _("came late"),
    "reopened": _("back to scheduled"),
    "agreed": _("agreed"),
    "thinks": _("will think"),
}
KIND = {
    "call": _("call"),
    "message": _("message"),
    "feedback": _("feedback"),
    "webinar": _("webinar"),
    "note": _("note"),
    "offer": _("offer of the next step"),
    "visit": _("visit"),
}


def say(moments: Sequence[Moment]) -> None:
    """Puts `kind_said` and `outcome_said` on what happened, and on messages `why` they were sent or not; a word of another
    system stays as it came."""
    for one in moments:
        if one.kind in ("work", "touchpoint"):
            code, dot, note = one.thing.outcome.partition(" · ")
            one.thing.outcome_said = f"{OUTCOME.get(code, code)}{dot}{note}"
            one.thing.kind_said = KIND.get(one.thing.kind, one.thing.kind)
        elif one.kind == "message":
            one.thing.why = partial(why, one.thing)  # called by the page, in its zone and language
