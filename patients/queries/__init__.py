"""Reads of this room that span models or feed one page."""

from patients.queries.scope import visible_patients, visible_visits

__all__ = ["visible_patients", "visible_visits"]
