"""The exchange format (metrics.md section 2): which files there are, in which order, and what each must say."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FileKind:
    """One file of the folder. `key`: the columns that identify a row; `required`: columns that must be there.

    `rename`: column -> field of the row interface (`patient_id` of a patient is its `external_id`).
    """

    name: str
    resource: str
    key: tuple[str, ...]
    required: tuple[str, ...]
    rename: dict[str, str] = field(default_factory=dict)
    within: bool = False  # rows may point at other rows of the same file


def _own(name: str, key: str, required: str, *, resource: str = "", within: bool = False) -> FileKind:
    return FileKind(name, resource or name, (key,), (key, *required.split()), {key: "external_id"}, within)


# Parents before children; within a file rows may stand in any order.
FILES = (
    _own("branches", "branch_id", "name"),
    _own("channels", "channel_id", "name kind"),
    _own("doctors", "doctor_id", "name"),
    _own("services", "service_id", "name tier"),
    _own("patients", "patient_id", "created_at", within=True),
    _own("shifts", "shift_id", "doctor_id start_at end_at"),
    _own("leads", "lead_id", "created_at kind", within=True),
    _own(
        "appointments",
        "appointment_id",
        "patient_id doctor_id booked_at start_at end_at status",
        resource="visits",
    ),
    _own("items", "item_id", "appointment_id service_id amount cost"),
    _own("payments", "payment_id", "patient_id kind paid_at amount", within=True),
    FileKind(
        "allocations",
        "allocations",
        ("payment_id", "appointment_id"),
        ("payment_id", "appointment_id", "amount"),
    ),
    _own("spend", "spend_id", "date amount purpose"),
    _own("consents", "consent_id", "patient_id purpose given at"),
    _own("touchpoints", "touchpoint_id", "patient_id at kind"),
)
BY_NAME = {kind.name: kind for kind in FILES}
LATER = ("surveys", "campaigns", "campaign_members")  # rooms that are not built yet
SUFFIXES = (".csv", ".json")
DEFAULT_THETA = 365  # of the exchange format, where clinic.json names none
PERSONAL = frozenset({"phones", "phone", "email", "last_name", "first_name", "middle_name", "note", "tags", "evidence"})


def reason_without_value(name: str, reason: str) -> str:
    """The reason for a report that leaves the house: what a person's field held is cut off."""
    return reason.rsplit(": ", 1)[-1] if name.rsplit(".", maxsplit=1)[-1] in PERSONAL else reason
