"""What the gateway's book and the outbox say together. Pure: a list of complaints, empty when all is well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.drills.campaign import ADVERTS, BLOCKED, ENDS, LATE, NEVER, group_of

ARRIVED = {"sent", "delivered", "undelivered"}
ENDED = {"refused", "skipped", "expired", "unknown"}
COLUMNS = "address, state, reason, provider_id, owner, lease_until, next_check_at, consent_id, approval_id"


class Row(NamedTuple):
    address: str
    state: str
    reason: str
    provider_id: str
    owner: str
    lease_until: Any
    next_check_at: Any
    consent_id: int | None
    approval_id: int | None


def complaints(*, rows: Sequence[Row], book: Mapping[str, Any], stops: Mapping[str, float], due: int) -> list[str]:
    """`book` = the gateway's `/judge?calls`; `stops` = number → the moment after which it must not be written to."""
    found = list(_sum(rows, due)) + list(_book(rows, book)) + list(_promotions(book["calls"], stops))
    for row in rows:
        found += _row(row, book["calls"])
    return found


def _sum(rows: Sequence[Row], due: int) -> Iterable[str]:
    states = Counter(row.state for row in rows)
    if sum(states[state] for state in ARRIVED | ENDED) != due:
        yield f"{dict(states)} are not the {due} that were due"
    for row in rows:
        if row.state in ENDED and not row.reason:
            yield f"{row.address} is {row.state} without a reason"
        if row.lease_until is not None or (row.state == "unknown" and row.next_check_at is not None):
            yield f"{row.address} is still held: {row}"


def _book(rows: Sequence[Row], book: Mapping[str, Any]) -> Iterable[str]:
    calls, known = book["calls"], {row.address for row in rows}
    yield from (f"{key} accepted {n} times" for key, n in {**book["twice"], **book["numbers"]}.items())
    yield from (f"{to} is written to, but nobody asked for it" for to in calls if to not in known)
    states = {row.address: row.state for row in rows}
    for to, status in book["told"].items():
        if states.get(to) != status:
            yield f"{to} was reported {status}, we say {states.get(to)}"


def _promotions(calls: Mapping[str, Any], stops: Mapping[str, float]) -> Iterable[str]:
    yield from (f"{to} was written to without the right to" for to in calls if group_of(to) in NEVER)
    yield from (
        f"{to} was written to after it was stopped" for to, at in stops.items() if to in calls and calls[to]["at"] > at
    )


def _row(row: Row, calls: Mapping[str, Any]) -> list[str]:
    group, call, said = group_of(row.address), calls.get(row.address), []
    if row.state in ARRIVED:
        if call is None:
            said.append(f"{row.address} is lost: we say {row.state}, the gateway never took it")
        elif call["id"] != row.provider_id:
            said.append(f"{row.address} has the id of another: {row.provider_id}, not {call['id']}")
        if group in ADVERTS and not (row.consent_id and row.approval_id):
            said.append(f"{row.address} stands on nothing")
    elif row.state == "refused":
        if call or row.reason not in {"gateway", "blocked"}:
            said.append(f"{row.address} was accepted, we say refused: {row.reason}")
    elif row.reason not in ENDS[group]:
        said.append(f"{row.address} is lost: {row.state}, {row.reason}")
    elif call and row.state != "unknown":
        said.append(f"{row.address} was accepted, we say {row.state}")
    if (group == LATE and row.state != "expired") or (
        group == BLOCKED and (row.state, row.reason) != ("refused", "blocked")
    ):
        said.append(f"{row.address} ended as {row.state}, {row.reason}")
    return said
