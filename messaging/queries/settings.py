"""Switches that people set."""

from __future__ import annotations

from staff.models import Clinic


def sending_paused() -> bool:
    return Clinic.objects.filter(sending_paused=True).exists()
