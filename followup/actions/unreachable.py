"""A service message that the operator blocks, and no other way to the patient: somebody has to call him."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from messaging.queries.fallback import failed_sql

# Once a visit, or once a message that is about none. A fallback counts for the message that it stood in for.
OPEN = """INSERT INTO patients_workitem (kind, patient_id, visit_id, branch_id, due_at, note, status, outcome,
    created_at, dedupe_key)
{failed}
SELECT 'unreachable', t.patient_id, t.visit_id, COALESCE(v.branch_id, p.branch_id), %s, '', 'open', '', %s,
    'unreachable:' || COALESCE('visit:' || t.visit_id, 'message:' || t.message_id)
FROM told t JOIN patients_patient p ON p.id = t.patient_id LEFT JOIN patients_visit v ON v.id = t.visit_id
WHERE t.next = '' AND 'blocked' IN (t.reason, t.reason_before) AND t.purpose = 'service' ON CONFLICT DO NOTHING"""
# Nobody calls about a visit that is cancelled, moved into the past, or over.
CLOSE = """UPDATE patients_workitem SET status = 'dropped', outcome = 'visit over', closed_at = %s
WHERE kind = 'unreachable' AND status = 'open' AND visit_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM patients_visit v
    WHERE v.id = patients_workitem.visit_id AND v.status = 'scheduled' AND v.start_at > %s)"""


@transaction.atomic
def list_unreachable(*, now: datetime) -> int:
    """Two statements. Returns the number of new work items."""
    failed, params = failed_sql(now)
    at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(OPEN.format(failed=failed), [*params, at, at])
        made = int(cursor.rowcount)
        cursor.execute(CLOSE, [at, at])
    return made
