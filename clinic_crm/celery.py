"""Celery carries "there is work", never the work itself: losing the broker loses nothing."""

import os

from celery import Celery
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")

TRANSPORT_ALIASES["embedded"] = "core.broker:Transport"
app = Celery("clinic_crm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Beat only says "tick". `expires`: a worker that was away must not find a thousand old ticks.
app.conf.beat_schedule = {
    name: {"task": task, "schedule": every, "options": {"expires": max(every * 0.9, 1.0)}}
    for name, task, every in [
        ("tick", "messaging.tasks.tick", settings.TICK_SECONDS),
        ("sweep", "followup.tasks.sweep", settings.TICK_SECONDS),
        ("bookings", "funnel.tasks.book_ahead", settings.TICK_SECONDS),
        ("leads", "funnel.tasks.escalate_leads", settings.TICK_SECONDS),
        ("calls", "funnel.tasks.poll_calls", 60.0),
        ("gather", "funnel.tasks.gather_leads", settings.TICK_SECONDS),
        ("referrals", "funnel.tasks.remind_of_referrals", 60.0),
        ("imports", "mis.tasks.resume_imports", settings.TICK_SECONDS),
        ("warm", "analytics.tasks.warm", settings.TICK_SECONDS),
        ("nightly", "analytics.tasks.nightly", 900.0),
    ]
}
