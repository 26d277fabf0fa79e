from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("messaging", "0005_transport_minutes"),
    ]

    operations = [
        migrations.AddField(
            model_name="message", name="cap", field=models.PositiveSmallIntegerField(null=True)
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("priority__in", [10, 20, 30, 40])), name="messaging_message_priority_known"
            ),
        ),
    ]
