from __future__ import annotations

from celery import shared_task

from patients.actions.zone import derive_days


@shared_task
def settle_days() -> None:
    """A minute after a change of the zone: whoever wrote with the old one in mind is put right."""
    derive_days()
