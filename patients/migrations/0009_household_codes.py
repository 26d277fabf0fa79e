import django.db.models.deletion
from django.db import migrations, models
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

import core.names


def name_them(apps, schema_editor):
    """Households that were made here get a code of their own, as everything of the source `crm` has one."""
    apps.get_model("patients", "Household").objects.update(
        external_id=Concat(Value("household-"), Cast(F("id"), CharField()))
    )


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0008_find_beginnings'),
        ('staff', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='household',
            name='source',
            field=models.ForeignKey(db_index=False, default=1, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='staff.source'),
        ),
        migrations.AddField(
            model_name='household',
            name='external_id',
            field=models.CharField(default='', max_length=120),
        ),
        migrations.RunPython(name_them, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='household',
            name='external_id',
            field=models.CharField(default=core.names.new_code, max_length=120),
        ),
        migrations.AddConstraint(
            model_name='household',
            constraint=models.UniqueConstraint(fields=('source', 'external_id'), name='patients_household_external'),
        ),
    ]
