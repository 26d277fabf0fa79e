"""Who loses a visit, a payment, a line or a record is noted by the database, whatever way the write came."""

from django.db import migrations

from core.migrations_sql import vendor_sql

CAME = "SELECT v.patient_id FROM patients_visit v WHERE v.id = OLD.visit_id"
PAID = """SELECT v.patient_id FROM patients_payment y JOIN patients_visit v ON v.id = y.visit_id
    WHERE y.id = OLD.refund_of_id"""
# table: the columns by which an object belongs to somebody, and to whom it belonged
OWNERS = {
    "patients_patient": (
        ("canonical_id", "is_test"),
        "SELECT OLD.id UNION SELECT OLD.canonical_id WHERE OLD.canonical_id IS NOT NULL",
    ),
    "patients_visit": (("patient_id",), "SELECT OLD.patient_id"),
    "patients_visititem": (("visit_id",), CAME),
    "patients_payment": (
        ("patient_id", "visit_id", "refund_of_id"),
        f"SELECT OLD.patient_id UNION {CAME} UNION {PAID}",
    ),
    "patients_allocation": (("payment_id", "visit_id"), CAME),
}


def note(whose: str) -> str:
    return f"INSERT INTO loyalty_stalevalue (patient_id) {whose};"


def events(table: str, columns: tuple[str, ...], differs: str) -> list[tuple[str, str]]:
    """(event, condition): a move to somebody else, and, for what can go without its patient, the removal."""
    moved = " OR ".join(f"OLD.{name} {differs} NEW.{name}" for name in columns)
    found = [(f"UPDATE OF {', '.join(columns)}", f"WHEN ({moved})")]
    return found if table == "patients_patient" else [*found, ("DELETE", "")]


def postgresql() -> list[str]:
    made = []
    for table, (columns, whose) in OWNERS.items():
        made.append(
            f"CREATE FUNCTION {table}_left() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN {note(whose)} RETURN NULL; END $$"
        )
        made += [
            f"CREATE TRIGGER {table}_left_{event.split()[0].lower()} AFTER {event} ON {table} "
            f"FOR EACH ROW {when} EXECUTE FUNCTION {table}_left()"
            for event, when in events(table, columns, "IS DISTINCT FROM")
        ]
    return made


def sqlite() -> list[str]:
    return [
        f"CREATE TRIGGER {table}_left_{event.split()[0].lower()} AFTER {event} ON {table} {when} "
        f"BEGIN {note(whose)} END"
        for table, (columns, whose) in OWNERS.items()
        for event, when in events(table, columns, "IS NOT")
    ]


UNDO = {
    "postgresql": [f"DROP FUNCTION {table}_left() CASCADE" for table in OWNERS],
    "sqlite": [
        f"DROP TRIGGER {table}_left_{event.split()[0].lower()}"
        for table, (columns, _whose) in OWNERS.items()
        for event, _when in events(table, columns, "IS NOT")
    ],
}


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0004_turned_at_night"), ("patients", "0007_late_bookings")]
    operations = [vendor_sql(postgresql(), sqlite(), UNDO)]
