"""Families that share a phone: who is told together with whom, from the plan to the call.

A member waits with `grouped_into` = the carrier, is claimed with it, asked about by the same policy, and ends as skipped
with the reason `grouped` in the moment in which the carrier is marked as being handed over. If the carrier does not go
out after all, its members are back in the queue.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from core.sql import id_list
from messaging.models import Message
from messaging.models.outbox import Reason, State
from messaging.queries.rows import among
from messaging.rules.families import MOST

LEAD_AGAIN = """UPDATE messaging_message SET grouped_into_id = NULLIF(h.head, messaging_message.id)
    FROM (SELECT grouped_into_id AS carrier, MIN(id) AS head FROM messaging_message
        WHERE grouped_into_id IN {ids} AND state = 'queued' GROUP BY grouped_into_id) h
    WHERE messaging_message.grouped_into_id = h.carrier AND messaging_message.state = 'queued'"""
TOGETHER = timedelta(hours=1)  # planned within so long of each other
OPEN = (State.QUEUED, State.CLAIMED)
TIE = """WITH mine AS {once} (SELECT id, patient_id, transport, address, language, about_at FROM messaging_message
        WHERE created_at > %s AND created_at <= %s AND automation = %s AND state = 'queued' AND client_id IS NULL
            AND grouped_into_id IS NULL AND patient_id IS NOT NULL AND address <> '' {lock}),
    placed AS (SELECT id, transport, address, language, about_at,
            MIN(patient_id) OVER same AS least, MAX(patient_id) OVER same AS most,
            (ROW_NUMBER() OVER (PARTITION BY transport, address, language ORDER BY about_at, id) - 1) / {size} AS part
        FROM mine WINDOW same AS (PARTITION BY transport, address, language)),
    led AS (SELECT id, FIRST_VALUE(id) OVER (
            PARTITION BY transport, address, language, part ORDER BY about_at, id) AS carrier
        FROM placed WHERE least <> most)
    UPDATE messaging_message SET grouped_into_id = led.carrier
    FROM led WHERE led.id = messaging_message.id AND led.carrier <> led.id"""


def tie(*, automation: str, now: datetime) -> None:
    """Give the messages of one automation to one address a common carrier; call it in the transaction that planned them.

    The message of the earliest visit carries: ids follow the order in which the database happened to insert. Rows that a
    worker holds are left alone.
    """
    on_postgresql = connection.vendor == "postgresql"
    sql = TIE.format(
        once="MATERIALIZED" if on_postgresql else "", lock="FOR UPDATE SKIP LOCKED" if on_postgresql else "", size=MOST
    )
    first, last = (connection.ops.adapt_datetimefield_value(at) for at in (now - TOGETHER, now))
    with connection.cursor() as cursor:
        cursor.execute(sql, [first, last, automation])


def on_their_own(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Without those that an open carrier will take along."""
    carrier = Message.objects.filter(pk=OuterRef("grouped_into"), state__in=OPEN)
    return messages.filter(Q(grouped_into=None) | ~Exists(carrier))


def members_of(ids: Collection[int], state: State) -> QuerySet[Message]:
    return Message.objects.filter(among(ids, "grouped_into_id"), state=state)


def lead_again(ids: Iterable[int]) -> None:
    """The carriers `ids` have ended: of the members that still wait the first becomes the carrier of the rest."""
    with connection.cursor() as cursor:
        cursor.execute(LEAD_AGAIN.format(ids=id_list(list(ids))))


def let_members_go(ids: Collection[int]) -> None:
    """Calls of these carriers came to nothing: whom they would have told waits again, and is asked about again.

    Not while the provider may have taken the text after all: then everybody in it may have been told.
    """
    if not ids:
        return
    members = Message.objects.filter(grouped_into__in=ids, state=State.SKIPPED, reason=Reason.GROUPED)
    let_go = members.filter(grouped_into__unsure_at=None, grouped_into__state__in=(State.QUEUED, State.REFUSED))
    if let_go.update(state=State.QUEUED, reason="", decided_at=None):
        lead_again(Message.objects.filter(pk__in=ids, state=State.REFUSED).values_list("pk", flat=True))


def told(ids: Collection[int]) -> None:
    """The carriers `ids` are being handed over."""
    members_of(ids, State.CLAIMED).update(
        state=State.SKIPPED, reason=Reason.GROUPED, owner="", lease_until=None, next_check_at=None
    )
