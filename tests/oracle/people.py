"""Who is who: merge chains, test persons, first-touch channel (metrics.md section 1). Ignores as-of: master data."""

from collections.abc import Sequence

from .clinic import Clinic, Patient

UNKNOWN = "unknown"


def canonical_ids(clinic: Clinic) -> dict[str, str]:
    """patient_id of every record -> patient_id at the end of its merge chain."""
    by_id = {record.patient_id: record for record in clinic.patients}
    ends = {}
    for record in clinic.patients:
        end, steps = record, 0
        while end.merged_into is not None:
            end, steps = by_id[end.merged_into], steps + 1
            if steps > len(by_id):
                raise ValueError(f"merge cycle at {record.patient_id}")
        ends[record.patient_id] = end.patient_id
    return ends


def merged_groups(clinic: Clinic) -> dict[str, list[Patient]]:
    """Canonical id -> all records of that person, in the order (created_at, id)."""
    ends = canonical_ids(clinic)
    groups: dict[str, list[Patient]] = {}
    for record in sorted(clinic.patients, key=lambda r: (r.created_at, r.patient_id)):
        groups.setdefault(ends[record.patient_id], []).append(record)
    return groups


def first_touch(records: Sequence[Patient]) -> str:
    """Channel of the earliest-created record when it has one, else "unknown"."""
    earliest = min(records, key=lambda r: (r.created_at, r.patient_id))
    return earliest.channel_id or UNKNOWN
