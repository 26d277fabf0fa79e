"""What sending is compared with: one Celery task a recipient. Read the row, POST, update the row.

    celery -A benchmarks.one_task worker --pool solo

The connection to the gateway is kept between tasks and the client is the leanest of the standard library.
"""

from __future__ import annotations

import http.client
import json
import os
from functools import cache
from urllib.parse import urlsplit

from celery import shared_task

from clinic_crm.celery import app

__all__ = ["app", "send_one"]


@cache
def link() -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(os.environ["SMS_GATEWAY_URL"]).netloc, timeout=10)


@shared_task(name="benchmarks.send_one")
def send_one(pk: int) -> None:
    from messaging.models import Message
    from messaging.queries.clock import database_now

    row = Message.objects.get(pk=pk)
    body = {"to": row.address, "text": row.text, "client_id": f"task{pk}", "sender": ""}
    heads = {"Content-Type": "application/json", "Idempotency-Key": f"task{pk}"}
    link().request("POST", "/v1/messages", json.dumps(body), heads)
    with link().getresponse() as answer:
        row.provider_id = json.loads(answer.read())["id"]
    row.state, row.sent_at = "sent", database_now()
    row.save(update_fields=["provider_id", "state", "sent_at"])
