from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("patients", "0009_household_codes"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(
                condition=models.Q(("recommended_return_date__isnull", False)),
                fields=["recommended_return_date"],
                name="patients_visit_recall",
            ),
        ),
    ]
