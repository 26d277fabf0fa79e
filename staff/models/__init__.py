"""Who works here and by what right: the ground on which every room stands."""

from staff.models.access import ApiKey, User
from staff.models.audit import AuditEntry, AuditHead
from staff.models.clinic import Branch, Clinic, Doctor, LossRule, Shift, Source
from staff.models.journal import Change, IdempotencyRecord

__all__ = [
    "ApiKey",
    "AuditEntry",
    "AuditHead",
    "Branch",
    "Change",
    "Clinic",
    "Doctor",
    "IdempotencyRecord",
    "LossRule",
    "Shift",
    "Source",
    "User",
]
