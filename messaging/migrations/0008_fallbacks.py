from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("messaging", "0007_reply_owners"),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="reason",
            field=models.CharField(blank=True, choices=[('window', 'its time has passed'), ('visit_gone', 'the visit is no longer there'), ('visit_cancelled', 'the visit was cancelled'), ('visit_moved', 'the visit was moved'), ('visit_past', 'the visit has begun or is over'), ('deceased', 'the patient died'), ('test', 'a test person'), ('withdrawn', 'the patient wants no messages'), ('no_consent', 'no consent'), ('no_address', 'no phone or e-mail'), ('no_value', 'a value for the text is missing'), ('switched_off', 'this automation is switched off'), ('too_close', 'another message about this visit went out less than 3 hours before'), ('quiet', 'held for quiet hours'), ('blocked', "blocked by the operator at the subscriber's request"), ('gateway', 'refused by the provider'), ('not_configured', 'no provider is set up for this transport'), ('busy', 'the provider was busy or away'), ('gave_up', 'the provider was away too long'), ('bad_message', 'the message could not be put together'), ('no_answer', "the provider's answer did not arrive"), ('lease', 'the worker died while handing it over'), ('same_text', 'the provider saw the same text within a minute'), ('key_expired', 'too old to be sent again safely'), ('by_person', 'decided by a person'), ('unsubscribed', 'unsubscribed from advertising'), ('bounced', 'the address does not exist'), ('wrong_number', 'the number belongs to somebody else'), ('promotion_hold', 'advertising is frozen for this patient'), ('unproven', 'the consent has no proof'), ('not_approved', 'nobody has approved this advertisement'), ('cap', 'enough contacts in this period'), ('transport_off', 'this transport is not allowed for this purpose'), ('breaker', 'the transport makes too many errors'), ('grouped', 'said in one message with another'), ('goal', 'no longer needed: the patient has booked'), ('arrived', 'the earlier message has arrived after all')], max_length=16),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(condition=models.Q(("state__in", ("undelivered", "refused", "skipped"))), fields=["expires_at"], name="messaging_message_failed"),
        ),
    ]
