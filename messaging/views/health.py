"""Two public doors for supervisors: `/healthz` (the process answers) and `/readyz` (the product works).

Nothing personal: names of checks, seconds, and what is red.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from celery import current_app
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from messaging import queries
from messaging.queries.clock import database_now
from staff.access import public

Check = tuple[bool, Any]  # good, and what there is to say


@public
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@public
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """503 with `red` naming every check that fails; ages in seconds, red past three minutes."""
    checks = {"database": _safely(_database), "migrations": _safely(_migrations), "broker": _safely(_broker)}
    checks |= _sending() if checks["database"][0] and checks["migrations"][0] else {}
    red = [name for name, (good, _said) in checks.items() if not good]
    body = {"status": "red" if red else "ok", "red": red, "checks": {name: said for name, (_g, said) in checks.items()}}
    return JsonResponse(body, status=503 if red else 200)


def _safely(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (DatabaseError, OperationalError, OSError) as error:
        return False, type(error).__name__


def _database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True, "ok"


def _migrations() -> Check:
    missing = _unapplied()
    return missing == 0, "ok" if missing == 0 else f"{missing} not applied"


def _unapplied() -> int:
    """Good news is remembered for the life of the process: migrations are not taken back under running code."""
    if _all_applied.cache_info().currsize:
        return 0
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing == 0:
        _all_applied()
    return missing


@lru_cache(maxsize=1)
def _all_applied() -> bool:
    return True


def _broker() -> Check:
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2, interval_start=0, interval_step=0)
    return True, "ok"


def _sending() -> dict[str, Check]:
    found = queries.health(database_now())
    return {
        "tick": (found.tick_ok, found.tick_age),
        "oldest_due_message": (found.due_ok, found.oldest_due),
        "unknown_messages": (True, found.unknown),
        "sending": (True, "paused" if queries.sending_paused() else "on"),
    }
