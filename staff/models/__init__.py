"""Who works here and by what right: the ground on which every room stands."""

from staff.models.access import ApiKey, Role, User
from staff.models.audit import AuditEntry, AuditHead
from staff.models.clinic import Branch, Clinic, Doctor, LossRule, Room, Shift, Source
from staff.models.journal import Change, IdempotencyRecord
from staff.models.second_step import CodeDevice, RecoveryCodes

__all__ = [
    "ApiKey",
    "AuditEntry",
    "AuditHead",
    "Branch",
    "Change",
    "Clinic",
    "CodeDevice",
    "Doctor",
    "IdempotencyRecord",
    "LossRule",
    "RecoveryCodes",
    "Role",
    "Room",
    "Shift",
    "Source",
    "User",
]
