"""Every write of this room. Imported as `from patients import actions`."""

from patients.actions.allocations import record_allocations
from patients.actions.booking import (
    arrive,
    book_visit,
    cancel_visit,
    confirm_visit,
    finish_visit,
    lock_slot,
    mark_no_show,
    move_visit,
    reopen_visit,
)
from patients.actions.consents import record_consent, withdraw
from patients.actions.contact import record_consents, record_touchpoints
from patients.actions.desk import log_visit, log_walk_in
from patients.actions.duplicates import dismiss_pair, find_duplicates
from patients.actions.items import record_items
from patients.actions.merge import merge_patients
from patients.actions.money import record_payments
from patients.actions.people import record_patients
from patients.actions.people_desk import edit_patient, register_patient
from patients.actions.price import record_channels, record_services
from patients.actions.unmerge import undo_merge
from patients.actions.visits import record_visits, record_visits_and_items
from patients.actions.work import claim_work_item, close_work_item, open_work_item

__all__ = [
    "arrive",
    "book_visit",
    "cancel_visit",
    "claim_work_item",
    "close_work_item",
    "confirm_visit",
    "dismiss_pair",
    "edit_patient",
    "find_duplicates",
    "finish_visit",
    "lock_slot",
    "log_visit",
    "log_walk_in",
    "mark_no_show",
    "merge_patients",
    "move_visit",
    "open_work_item",
    "record_allocations",
    "record_channels",
    "record_consent",
    "record_consents",
    "record_items",
    "record_patients",
    "record_payments",
    "record_services",
    "record_touchpoints",
    "record_visits",
    "record_visits_and_items",
    "register_patient",
    "reopen_visit",
    "undo_merge",
    "withdraw",
]
