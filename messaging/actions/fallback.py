"""What did not arrive goes out by the next transport, once, while it still makes sense."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.db.models import F

from messaging.actions.wake import wake_on_commit
from messaging.models import Message
from messaging.models.outbox import Reason, State
from messaging.queries.fallback import failed_sql
from messaging.transports import configured
from staff.models import Clinic

# A finished text goes out as it is; one from a template is put together anew, in the words for that transport.
# `created_at` stays that of the first message: its goal ("a visit after it was planned") may be reached already.
INSERT = """INSERT INTO messaging_message (patient_id, visit_id, about_at, expires_at, dedupe_key, tz, language, transport,
    address, automation, purpose, priority, template, state, created_at, not_before, approval_id, stops_when_booked,
    fallback_of_id, subject, text, variables, reason, detail, owner, provider_id, basis, attempt, checks, segments, cost)
{failed}
SELECT patient_id, visit_id, about_at, expires_at, base_key || ':via:' || next, tz, language, next,
    next_address, automation, purpose, priority, template, 'queued', created_at, %s, approval_id, stops_when_booked,
    message_id, CASE WHEN template <> '' THEN '' WHEN subject = '' THEN %s ELSE subject END,
    CASE WHEN template <> '' THEN '' ELSE text END, '{{}}', '', '', '', '', '', 0, 0, 0, 0
FROM told WHERE next <> '' ON CONFLICT DO NOTHING"""


@transaction.atomic
def fall_back(*, now: datetime) -> int:
    """One INSERT … SELECT, whatever the number. Called by every tick; twice adds nothing. Returns the number of rows."""
    _arrived_after_all()
    if len(configured()) < 2:
        return 0
    failed, params = failed_sql(now)
    name = Clinic.objects.filter(pk=1).values_list("name", flat=True).first() or ""
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT.format(failed=failed), [*params, connection.ops.adapt_datetimefield_value(now), name[:200]]
        )
        made = int(cursor.rowcount)
    if made:
        wake_on_commit()
    return made


def _arrived_after_all() -> int:
    """A report that came late: what has not gone out yet is no longer needed."""
    waiting = Message.objects.filter(
        state=State.QUEUED,
        fallback_of__isnull=False,
        fallback_of__state=State.DELIVERED,
        fallback_of__patient=F("patient"),
    )
    return Message.objects.filter(pk__in=list(waiting.values_list("pk", flat=True)[:1000])).update(
        state=State.SKIPPED, reason=Reason.ARRIVED
    )
