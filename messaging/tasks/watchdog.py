"""A worker that lives but consumes nothing (celery#8091, #10205) leaves, so that its supervisor starts a fresh one."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import Any

from celery.signals import worker_ready
from django.db import DatabaseError, close_old_connections, connection

from messaging import queries
from messaging.queries.clock import database_now

log = logging.getLogger(__name__)
LOOK_EVERY = 30.0  # seconds
FIRST_LOOK = 180.0  # a worker that comes back to an old queue must get its chance first
GRACE = 20.0  # for a warm shutdown, before the process ends itself


def standing_still() -> bool:
    """Due messages are over three minutes old and nobody moved any; an unreachable database is no reason to leave."""
    try:
        close_old_connections()
        return queries.overdue(database_now())
    except DatabaseError:
        return False
    finally:
        connection.close()


def watch() -> None:
    time.sleep(FIRST_LOOK)
    while True:
        time.sleep(LOOK_EVERY)
        if standing_still():
            log.critical("due messages are not being sent: this worker leaves to be started again")
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(GRACE)
            os._exit(1)


@worker_ready.connect(dispatch_uid="messaging.watchdog")
def start_watchdog(**_signal: Any) -> None:
    threading.Thread(target=watch, name="watchdog", daemon=True).start()
