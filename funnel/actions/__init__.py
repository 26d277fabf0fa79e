from funnel.actions.beats import look_after_bookings
from funnel.actions.booking import begin_booking, cancel_own, finish_booking, move_own, name_visitor, resend_code
from funnel.actions.codes import try_code
from funnel.actions.mis_booking import answer_booking, resend_booking
from funnel.actions.spend import SPEND, AlreadyTakenBack, add_spend, record_spend, take_back_spend
from funnel.actions.waitlist import add_to_waitlist, begin_wish, claim_offer, finish_wish, leave_waitlist

__all__ = [
    "SPEND",
    "AlreadyTakenBack",
    "add_spend",
    "add_to_waitlist",
    "answer_booking",
    "begin_booking",
    "begin_wish",
    "cancel_own",
    "claim_offer",
    "finish_booking",
    "finish_wish",
    "leave_waitlist",
    "look_after_bookings",
    "move_own",
    "name_visitor",
    "record_spend",
    "resend_booking",
    "resend_code",
    "take_back_spend",
    "try_code",
]
