"""The patient, what was promised, done and paid, and everything that was said to each other."""

from patients.models.contact import Consent, ConsentScan, ConsentText, Touchpoint, WorkItem
from patients.models.duplicates import DuplicatePair, Merge
from patients.models.ledger import Allocation, Payment
from patients.models.person import Channel, Household, Patient, PatientPhone, PatientTag
from patients.models.price import Service
from patients.models.slots import BusyTime, SlotHold
from patients.models.visit import Recommendation, Visit, VisitItem

__all__ = [
    "Allocation",
    "BusyTime",
    "Channel",
    "Consent",
    "ConsentScan",
    "ConsentText",
    "DuplicatePair",
    "Household",
    "Merge",
    "Patient",
    "PatientPhone",
    "PatientTag",
    "Payment",
    "Recommendation",
    "Service",
    "SlotHold",
    "Touchpoint",
    "Visit",
    "VisitItem",
    "WorkItem",
]
