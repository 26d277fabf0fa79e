from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("messaging", "0006_caps"),
    ]

    operations = [
        migrations.AddField(
            model_name="reply",
            name="owners",
            field=models.ManyToManyField(related_name="+", to="patients.patient"),
        ),
        migrations.AddIndex(
            model_name="reply",
            index=models.Index(fields=["received_at"], name="messaging_reply_received"),
        ),
    ]
