"""A message whose outcome no machine can find out becomes a work item; it closes itself when somebody decided."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

OPEN = """INSERT INTO patients_workitem (kind, patient_id, visit_id, branch_id, due_at, note, status, outcome,
    created_at, dedupe_key)
SELECT 'message_unknown', m.patient_id, m.visit_id, COALESCE(v.branch_id, p.branch_id), %s, '', 'open', '', %s,
    'message_unknown:' || m.id
FROM messaging_message m JOIN patients_patient p ON p.id = m.patient_id LEFT JOIN patients_visit v ON v.id = m.visit_id
WHERE m.state = 'unknown' AND m.next_check_at IS NULL ON CONFLICT DO NOTHING"""
CLOSE = """UPDATE patients_workitem SET status = 'done', outcome = 'resolved', closed_at = %s
WHERE kind = 'message_unknown' AND status = 'open' AND dedupe_key NOT IN (
    SELECT 'message_unknown:' || m.id FROM messaging_message m WHERE m.state = 'unknown')"""


@transaction.atomic
def list_unknown(*, now: datetime) -> int:
    """Two statements. Returns the number of new work items."""
    at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [at, at])
        made = int(cursor.rowcount)
        cursor.execute(CLOSE, [at])
    return made
