"""How much a patient has heard from us lately, and how much he may: what `rules.policy.ration` counts with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from django.db import connection
from django.db.models import BigIntegerField, Value

from core.sql import id_list
from messaging.models import Budget, PatientBudget
from messaging.models.outbox import Priority
from messaging.rules.policy import LONGEST, MOST_COUNTED, Contact, Limits, Ration, ration
from patients.models.contact import ADVERTISES

DEFAULT = "default"
# The clock of a message is the moment at which the policy let it go. A message and those that took over for it, because
# it did not arrive, are one contact. A call that nobody answered is none.
USED = """SELECT root, at, advertises, reserved FROM (
    SELECT who.root, who.at, who.advertises, who.reserved,
        ROW_NUMBER() OVER (PARTITION BY who.root, who.reserved ORDER BY who.at DESC) AS place
    FROM (
        SELECT COALESCE(p.canonical_id, p.id) AS root, COALESCE(m.decided_at, m.sent_at, m.first_tried_at) AS at,
            CASE WHEN m.purpose IN ('marketing', 'health_offers') THEN 1 ELSE 0 END AS advertises, 0 AS reserved
        FROM patients_patient p JOIN messaging_message m ON m.patient_id = p.id
        WHERE (p.id IN {roots} OR p.canonical_id IN {roots})
            AND m.state IN ('claimed', 'inflight', 'sent', 'delivered', 'undelivered', 'unknown')
            AND m.id NOT IN {batch} AND COALESCE(m.decided_at, m.sent_at, m.first_tried_at) > %s
            AND NOT EXISTS (SELECT 1 FROM messaging_message f WHERE f.fallback_of_id = m.id)
        UNION ALL
        SELECT COALESCE(p.canonical_id, p.id), c.at,
            CASE WHEN c.purpose IN ('marketing', 'health_offers') THEN 1 ELSE 0 END, 0
        FROM patients_patient p JOIN patients_touchpoint c ON c.patient_id = p.id
        WHERE (p.id IN {roots} OR p.canonical_id IN {roots}) AND c.kind = 'call' AND c.direction = 'out'
            AND c.outcome <> 'no_answer' AND c.at > %s
        UNION ALL
        SELECT COALESCE(p.canonical_id, p.id), q.not_before, 0, q.priority
        FROM patients_patient p JOIN messaging_message q ON q.patient_id = p.id
        WHERE (p.id IN {roots} OR p.canonical_id IN {roots}) AND q.state = 'queued' AND q.priority < {least}
            AND q.id NOT IN {batch} AND q.not_before <= %s AND q.expires_at > %s
    ) who
) counted WHERE place <= {most} ORDER BY at"""


@dataclass
class Past:
    """Of one canonical patient. `waiting`: priorities of his other messages that are due, not of this batch."""

    limits: Limits
    contacts: list[Contact] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)

    def reserved(self, priority: int) -> int:
        return sum(1 for other in self.waiting if other < priority)


def limits_of(roots: Collection[int]) -> dict[int, Limits]:
    """The budget of each canonical patient: his own, else the one that holds for the rest. One query."""
    columns = ("days", "contacts", "promotions", "gap_hours")
    own = PatientBudget.objects.filter(patient__in=roots)
    rest = Budget.objects.filter(code=DEFAULT).annotate(whose=Value(None, BigIntegerField()))
    rows = own.values_list("patient_id", *(f"budget__{name}" for name in columns)).union(
        rest.values_list("whose", *columns), all=True
    )
    found = {root: _limits(*numbers) for root, *numbers in rows}
    default = found.pop(None, Limits())
    return {root: found.get(root, default) for root in roots}


def _limits(days: int, contacts: int, promotions: int, gap_hours: int) -> Limits:
    return Limits(days, contacts, promotions, timedelta(hours=gap_hours))


def past_of(roots: Collection[int], *, batch: Collection[int] = (), now: datetime) -> dict[int, Past]:
    """Of each canonical patient, without the messages of `batch`: they are the ones to decide about. Two queries."""
    found = {root: Past(limits) for root, limits in limits_of(roots).items()}
    if not found:
        return {}
    reach = max(max(past.limits.period, past.limits.gap) for past in found.values())
    since, at = (connection.ops.adapt_datetimefield_value(moment) for moment in (now - min(reach, LONGEST), now))
    sql = USED.format(
        roots=id_list(found.keys()), batch=id_list(batch or [0]), least=int(Priority.PROMOTION), most=MOST_COUNTED
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [since, since, at, at])
        rows = cursor.fetchall()
    for root, moment, advertises, reserved in rows:
        if reserved:
            found[root].waiting.append(reserved)
        else:
            found[root].contacts.append(Contact(_instant(moment), bool(advertises)))
    return found


def _instant(moment: Any) -> datetime:
    """SQLite answers with text, or with an instant that names no zone."""
    at = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def is_capped(purpose: str, priority: int) -> bool:
    """What has to wait when the budget is used up: feedback and promotions, and whatever advertises under another name."""
    return priority > Priority.REMINDER or purpose in ADVERTISES


class Asked(Protocol):
    """A message to decide about; `root` is its canonical patient, None = it goes to an employee."""

    @property
    def id(self) -> int: ...
    @property
    def root(self) -> int | None: ...
    @property
    def purpose(self) -> str: ...
    @property
    def priority(self) -> int: ...


def rations(rows: Sequence[Asked], *, batch: Collection[int], now: datetime) -> dict[int, Ration]:
    """What the budgets say to each of `rows`, in their order: who is let go counts for those after him.

    Danger: only exact while the caller holds the rows of the capped ones' patients (`actions.claim`).
    """
    roots = {row.root for row in rows if row.root is not None}
    past = past_of(roots, batch=batch, now=now) if roots else {}
    found = {}
    for row in rows:
        if row.root is None:
            continue
        his, advertises = past[row.root], row.purpose in ADVERTISES
        said = ration(
            now=now,
            limits=his.limits,
            past=his.contacts,
            reserved=his.reserved(row.priority),
            advertises=advertises,
            capped=is_capped(row.purpose, row.priority),
        )
        if said.until is None and not said.never:
            his.contacts.append(Contact(now, advertises))
            del his.contacts[:-MOST_COUNTED]
        found[row.id] = said
    return found
