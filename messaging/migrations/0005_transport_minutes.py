from django.db import migrations, models
from django.utils import timezone


def foreign_messengers_do_not_advertise(apps, schema_editor):
    """72-FZ: Telegram begins switched off for advertising; a person may decide otherwise, with a note why."""
    setting = apps.get_model("messaging", "TransportSetting")
    setting.objects.get_or_create(
        transport="telegram", defaults={"for_adverts": False, "updated_at": timezone.now()}
    )


class Migration(migrations.Migration):

    dependencies = [
        ("messaging", "0004_messages_asked_for"),
    ]

    operations = [
        migrations.CreateModel(
            name="TransportMinute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("transport", models.CharField(choices=[("sms", "SMS"), ("email", "e-mail"), ("telegram", "Telegram"), ("call", "call")], max_length=10)),
                ("minute", models.DateTimeField()),
                ("tries", models.PositiveIntegerField()),
                ("faults", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("transport", "minute"), name="messaging_transportminute_once")],
            },
        ),
        migrations.RunPython(foreign_messengers_do_not_advertise, migrations.RunPython.noop),
    ]
