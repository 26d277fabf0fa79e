"""The API doors of this room. The door of visits is hung in by `reception.api`: things follow from a visit."""

from patients.api.care import VISIT_DOOR
from patients.api.contact import CONSENT_DOOR, TOUCHPOINT_DOOR
from patients.api.money import PAYMENT_DOOR
from patients.api.people import PATIENT_DOOR
from patients.api.price import CHANNEL_DOOR, SERVICE_DOOR
from patients.api.slots import SLOT_DOOR

DOORS = (PATIENT_DOOR, PAYMENT_DOOR, SERVICE_DOOR, CHANNEL_DOOR, CONSENT_DOOR, TOUCHPOINT_DOOR, SLOT_DOOR)

__all__ = ["DOORS", "VISIT_DOOR"]
