"""Filters by branch, doctor and channel: a smaller clinic, from which everything is computed as usual."""

from dataclasses import replace

from .clinic import Appointment, Clinic, Payment
from .people import UNKNOWN, canonical_ids, first_touch, merged_groups


def narrowed(clinic: Clinic, branch: str | None, doctor: str | None, channel: str | None) -> Clinic:
    """The clinic as if only those visits (branch, doctor) and those patients (channel) existed."""
    if branch is not None:
        zone = clinic.branch_zones.get(branch, clinic.tz)
        clinic = replace(keep_appointments(clinic, lambda a: a.branch_id == branch), tz=zone)
    if doctor is not None:
        clinic = keep_appointments(clinic, lambda a: a.doctor_id == doctor)
        clinic = replace(clinic, shifts=tuple(s for s in clinic.shifts if s.doctor_id == doctor))
    if channel is not None:
        clinic = keep_channel(clinic, channel)
    return clinic


def appointment_of(payment: Payment, by_id: dict[str, Payment]) -> str | None:
    """The appointment that a payment pays for; a refund belongs to that of the payment it refunds."""
    if payment.refund_of is not None:
        return by_id[payment.refund_of].appointment_id
    return payment.appointment_id


def keep_appointments(clinic: Clinic, wanted) -> Clinic:
    """Only appointments for which wanted(appointment), and only money paid for them or allocated to them."""
    kept: tuple[Appointment, ...] = tuple(a for a in clinic.appointments if wanted(a))
    ids = {a.appointment_id for a in kept}
    allocations = tuple(a for a in clinic.allocations if a.appointment_id in ids)
    return replace(
        clinic,
        appointments=kept,
        items=tuple(i for i in clinic.items if i.appointment_id in ids),
        payments=paid_for(clinic, ids),
        allocations=allocations,
        allocated_only=tuple(p for p in clinic.payments if p.payment_id in {a.payment_id for a in allocations}),
        surveys=tuple(s for s in clinic.surveys if s.appointment_id in ids),
    )


def paid_for(clinic: Clinic, ids: set[str]) -> tuple[Payment, ...]:
    """Payments and refunds that belong to these appointments."""
    by_id = {p.payment_id: p for p in clinic.payments}
    return tuple(p for p in clinic.payments if appointment_of(p, by_id) in ids)


def keep_channel(clinic: Clinic, channel: str) -> Clinic:
    """Only patients whose first touch is this channel, with their facts; spend and leads of this channel."""
    ends = canonical_ids(clinic)
    inside = {key for key, records in merged_groups(clinic).items() if first_touch(records) == channel}

    def ours(fact) -> bool:
        return ends[fact.patient_id] in inside

    return replace(
        clinic,
        patients=tuple(without_lost_referrer(p, ends, inside) for p in clinic.patients if ours(p)),
        appointments=tuple(a for a in clinic.appointments if ours(a)),
        payments=tuple(p for p in clinic.payments if ours(p)),
        allocated_only=tuple(p for p in clinic.allocated_only if ours(p)),
        surveys=tuple(s for s in clinic.surveys if ours(s)),
        campaign_members=tuple(m for m in clinic.campaign_members if ours(m)),
        spend=tuple(s for s in clinic.spend if (s.channel_id or UNKNOWN) == channel),
        leads=tuple(
            x for x in clinic.leads if (x.channel_id or UNKNOWN) == channel and (x.patient_id is None or ours(x))
        ),
    )


def without_lost_referrer(patient, ends: dict[str, str], inside: set[str]):
    """The record, its referrer forgotten when the filter removed that person."""
    if patient.referrer_id is not None and ends[patient.referrer_id] not in inside:
        return replace(patient, referrer_id=None)
    return patient
