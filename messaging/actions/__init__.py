"""Every write of this room. Imported as `from messaging import actions`."""

from messaging.actions.alarm import tell_managers
from messaging.actions.approvals import BadDays, NotAPerson, approve, withdraw_approval
from messaging.actions.asked import record_messages
from messaging.actions.bounces import take_bounce
from messaging.actions.breaker import forget_tries
from messaging.actions.claim import BATCH_LIMIT, claim, mark_inflight
from messaging.actions.clicks import note_click
from messaging.actions.control import (
    AlreadyResolved,
    pause_sending,
    pause_transport,
    resolve_unknown,
    set_transport,
)
from messaging.actions.fallback import fall_back
from messaging.actions.inbox import (
    AlreadyAnswered,
    NobodyToAnswer,
    answer_reply,
    close_reply,
    stop_timers,
    wrong_number,
)
from messaging.actions.listening import listen
from messaging.actions.plan import plan, queue_message
from messaging.actions.policy import (
    BadBudget,
    NotOpen,
    hold_promotions,
    lift_hold,
    lift_suppression,
    save_budget,
    suppress,
)
from messaging.actions.reconcile import reap, reconcile
from messaging.actions.replies import take_reply
from messaging.actions.reports import BadReport, take_report
from messaging.actions.send import beat, send_batch
from messaging.actions.telegram import BadCode, NowhereToSend, let_go, link_chat, make_code, send_code, unlink
from messaging.actions.templates import (
    BadText,
    NoAddress,
    add_picture,
    address_of,
    reset_template,
    save_template,
    send_trial,
    set_delay,
    switch_automation,
)
from messaging.actions.unsubscribe import unsubscribe

__all__ = [
    "BATCH_LIMIT",
    "AlreadyAnswered",
    "AlreadyResolved",
    "BadBudget",
    "BadCode",
    "BadDays",
    "BadReport",
    "BadText",
    "NoAddress",
    "NobodyToAnswer",
    "NotAPerson",
    "NotOpen",
    "NowhereToSend",
    "add_picture",
    "address_of",
    "answer_reply",
    "approve",
    "beat",
    "claim",
    "close_reply",
    "fall_back",
    "forget_tries",
    "hold_promotions",
    "let_go",
    "lift_hold",
    "lift_suppression",
    "link_chat",
    "listen",
    "make_code",
    "mark_inflight",
    "note_click",
    "pause_sending",
    "pause_transport",
    "plan",
    "queue_message",
    "reap",
    "reconcile",
    "record_messages",
    "reset_template",
    "resolve_unknown",
    "save_budget",
    "save_template",
    "send_batch",
    "send_code",
    "send_trial",
    "set_delay",
    "set_transport",
    "stop_timers",
    "suppress",
    "switch_automation",
    "take_bounce",
    "take_reply",
    "take_report",
    "tell_managers",
    "unlink",
    "unsubscribe",
    "withdraw_approval",
    "wrong_number",
]
