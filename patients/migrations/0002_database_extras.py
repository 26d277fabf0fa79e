"""What only the database can promise: no double booking, an append-only consent ledger, a search index."""

from django.db import migrations

from core.migrations_sql import vendor_sql

HOLDING = "('scheduled', 'arrived', 'completed')"
PG = [
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    # Rows of another system carry may_overlap and stay out of this index: ten years of history cost it nothing.
    f"""ALTER TABLE patients_visit ADD CONSTRAINT patients_visit_no_overlap
        EXCLUDE USING gist (doctor_id WITH =, tstzrange(start_at, end_at, '[)') WITH &&)
        WHERE (status IN {HOLDING} AND NOT may_overlap)""",
    "CREATE INDEX patients_patient_search ON patients_patient USING gin (search gin_trgm_ops)",
    """CREATE FUNCTION patients_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'the consent ledger is append-only'; END $$""",
    """CREATE TRIGGER patients_consent_append_only BEFORE UPDATE OR DELETE ON patients_consent
       FOR EACH ROW EXECUTE FUNCTION patients_append_only()""",
]


def overlap_trigger(name: str, event: str) -> str:
    return f"""CREATE TRIGGER {name} BEFORE {event} ON patients_visit
        WHEN NEW.status IN {HOLDING} AND NOT NEW.may_overlap AND NEW.start_at < NEW.end_at
        BEGIN SELECT RAISE(ABORT, 'patients_visit_no_overlap') WHERE EXISTS (
            SELECT 1 FROM patients_visit o WHERE o.doctor_id = NEW.doctor_id AND o.id <> COALESCE(NEW.id, -1)
            AND o.status IN {HOLDING} AND NOT o.may_overlap AND o.start_at < o.end_at
            AND o.start_at < NEW.end_at AND o.end_at > NEW.start_at); END"""


SQLITE = [
    overlap_trigger("patients_visit_no_overlap_insert", "INSERT"),
    overlap_trigger("patients_visit_no_overlap_update", "UPDATE OF doctor_id, start_at, end_at, status, may_overlap"),
    """CREATE TRIGGER patients_consent_no_update BEFORE UPDATE ON patients_consent
       BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END""",
    """CREATE TRIGGER patients_consent_no_delete BEFORE DELETE ON patients_consent
       BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END""",
]


class Migration(migrations.Migration):
    dependencies = [("patients", "0001_initial")]
    operations = [
        vendor_sql(
            PG,
            SQLITE,
            {
                "postgresql": [
                    "DROP TRIGGER patients_consent_append_only ON patients_consent",
                    "DROP FUNCTION patients_append_only",
                    "DROP INDEX patients_patient_search",
                    "ALTER TABLE patients_visit DROP CONSTRAINT patients_visit_no_overlap",
                ],
                "sqlite": [
                    "DROP TRIGGER patients_visit_no_overlap_insert",
                    "DROP TRIGGER patients_visit_no_overlap_update",
                    "DROP TRIGGER patients_consent_no_update",
                    "DROP TRIGGER patients_consent_no_delete",
                ],
            },
        )
    ]
