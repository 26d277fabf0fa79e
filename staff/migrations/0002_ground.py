"""The rows that must exist (own source, the clinic, the chain's head) and the triggers that keep the log append-only."""

from django.db import migrations

from core.migrations_sql import vendor_sql

PG = [
    """CREATE FUNCTION staff_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$""",
    """CREATE TRIGGER staff_audit_append_only BEFORE UPDATE OR DELETE ON staff_auditentry
       FOR EACH ROW EXECUTE FUNCTION staff_append_only()""",
]
SQLITE = [
    """CREATE TRIGGER staff_audit_no_update BEFORE UPDATE ON staff_auditentry
       BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    """CREATE TRIGGER staff_audit_no_delete BEFORE DELETE ON staff_auditentry
       BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
]


def rows(apps, schema_editor):
    apps.get_model("staff", "Source").objects.create(id=1, code="crm", name="Clinic CRM")
    apps.get_model("staff", "Clinic").objects.create(id=1)
    apps.get_model("staff", "AuditHead").objects.create(id=1)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SELECT setval(pg_get_serial_sequence('staff_source', 'id'), 1)", None)


class Migration(migrations.Migration):
    dependencies = [("staff", "0001_initial")]
    operations = [
        migrations.RunPython(rows, migrations.RunPython.noop),
        vendor_sql(
            PG,
            SQLITE,
            {
                "postgresql": [
                    "DROP TRIGGER staff_audit_append_only ON staff_auditentry",
                    "DROP FUNCTION staff_append_only",
                ],
                "sqlite": ["DROP TRIGGER staff_audit_no_update", "DROP TRIGGER staff_audit_no_delete"],
            },
        ),
    ]
