"""Telephony that is asked, not told by: every minute, from where the last answer ended.

The cursor moves only after the calls are stored, and taking them twice changes nothing: a worker that dies in between
costs a second question, no second call. Spans overlap, for a call is reported after it ended under when it began.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from core.sealed import Damaged
from funnel.actions.calls import take_call_events
from funnel.http import mango, uis
from funnel.http.mango import NotAnswered
from funnel.models import TelephonyLine
from funnel.queries.calls import secrets_of
from funnel.rules.calls import Said
from staff.access import SYSTEM
from staff.models import Clinic, Source

OVERLAP, LONGEST = timedelta(hours=2), timedelta(days=1)  # of one question: answers have a greatest length


def poll_lines(*, now: datetime) -> int:
    """How many events were new. A line that does not answer keeps its cursor and says why; the others go on."""
    asked = TelephonyLine.objects.select_related("source", "branch").filter(is_active=True, polled_until__isnull=False)
    return sum(_poll(line, now) for line in asked.order_by("pk"))


def _poll(line: TelephonyLine, now: datetime) -> int:
    try:
        if line.kind == TelephonyLine.Kind.MANGO:
            return _poll_mango(line, now)
        return _poll_uis(line, now)
    except (NotAnswered, Damaged, ValueError) as error:
        TelephonyLine.objects.filter(pk=line.pk).update(fault=str(error)[:200], asked="", asked_until=None)
        return 0


def _poll_uis(line: TelephonyLine, now: datetime) -> int:
    assert line.polled_until is not None
    first, last = line.polled_until - OVERLAP, min(now, line.polled_until + LONGEST)
    tz, token, fresh, skip = line.branch.tz if line.branch else Clinic.objects.get(pk=1).tz, secrets_of(line), 0, 0
    while True:
        said = uis.fetch_calls(line.url, token["token"], first, last, tz=tz, skip=skip, region=_region(line))
        fresh += _take(line, said, now)
        skip += uis.PAGE
        if len(said) < uis.PAGE:
            break
    _done(line, last, now)
    return fresh


def _poll_mango(line: TelephonyLine, now: datetime) -> int:
    """Asks in one run and fetches in the next: the statistics take their seconds to be made."""
    assert line.polled_until is not None
    secrets, fresh = secrets_of(line), 0
    if line.asked and line.asked_until is not None:
        said = mango.fetch_calls(line.url, secrets["key"], secrets["salt"], line.asked, _region(line))
        if said is None:
            return 0
        fresh = _take(line, said, now)
        _done(line, line.asked_until, now)
    until = line.asked_until or line.polled_until
    last = min(now, until + LONGEST)
    asked = mango.ask_for_calls(line.url, secrets["key"], secrets["salt"], until - OVERLAP, last)
    TelephonyLine.objects.filter(pk=line.pk).update(asked=asked[:120], asked_until=last)
    return fresh


def _take(line: TelephonyLine, said: list[Said], now: datetime) -> int:
    return take_call_events(line=line, events=said, by=SYSTEM, now=now)


def _region(line: TelephonyLine) -> str:
    return line.branch.phone_region if line.branch else "RU"


def _done(line: TelephonyLine, last: datetime, now: datetime) -> None:
    TelephonyLine.objects.filter(pk=line.pk, polled_until__lt=last).update(polled_until=last)
    TelephonyLine.objects.filter(pk=line.pk).update(fault="", asked="", asked_until=None)
    Source.objects.filter(pk=line.source_id).update(last_ok_at=now)
