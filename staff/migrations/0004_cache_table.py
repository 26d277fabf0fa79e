"""Without Redis the cache (throttle counters) is a table: made here, so that `migrate` is all that an installation needs."""

from django.core.management import call_command
from django.db import migrations


def make_table(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("staff", "0003_second_step")]
    operations = [migrations.RunPython(make_table, migrations.RunPython.noop)]
