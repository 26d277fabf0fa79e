"""Every write of this room. Imported as `from messaging import actions`."""

from messaging.actions.claim import BATCH_LIMIT, claim, mark_inflight
from messaging.actions.control import (
    AlreadyResolved,
    pause_sending,
    pause_transport,
    resolve_unknown,
    save_template,
    switch_automation,
)
from messaging.actions.plan import plan, queue_message
from messaging.actions.reconcile import reap, reconcile
from messaging.actions.reports import BadReport, take_report
from messaging.actions.send import beat, send_batch

__all__ = [
    "BATCH_LIMIT",
    "AlreadyResolved",
    "BadReport",
    "beat",
    "claim",
    "mark_inflight",
    "pause_sending",
    "pause_transport",
    "plan",
    "queue_message",
    "reap",
    "reconcile",
    "resolve_unknown",
    "save_template",
    "send_batch",
    "switch_automation",
    "take_report",
]
