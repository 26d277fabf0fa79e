"""Find reads beginnings straight from an index: of names in their order, and of card numbers."""

from django.db import migrations, models

from core.migrations_sql import vendor_sql

# Forty letters: a whole `search` may be longer than an entry of a btree can be. "C": LIKE and the order can both use it.
START = 'CREATE INDEX patients_patient_start ON patients_patient (left(search, 40) COLLATE "C")'


class Migration(migrations.Migration):
    dependencies = [("patients", "0007_late_bookings")]
    operations = [
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                fields=["card_number"], name="patients_patient_card", opclasses=["varchar_pattern_ops"]
            ),
        ),
        vendor_sql([START], [], {"postgresql": ["DROP INDEX patients_patient_start"]}),
    ]
