import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("messaging", "0002_contact_policy"),
    ]

    operations = [
        migrations.CreateModel(
            name="LinkClick",
            fields=[
                ("message", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="clicks", serialize=False, to="messaging.message")),
                ("people", models.PositiveIntegerField(default=0)),
                ("bots", models.PositiveIntegerField(default=0)),
                ("first_at", models.DateTimeField(null=True)),
                ("last_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Picture",
            fields=[
                ("hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("content", models.BinaryField()),
                ("content_type", models.CharField(max_length=20)),
                ("added_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveField(model_name="template", name="picture"),
        migrations.RemoveField(model_name="template", name="picture_type"),
        migrations.AddField(
            model_name="template",
            name="picture",
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="messaging.picture"),
        ),
        migrations.AddField(
            model_name="template", name="link", field=models.CharField(blank=True, max_length=500)
        ),
        migrations.AddField(
            model_name="message",
            name="stops_when_booked",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
