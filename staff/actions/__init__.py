"""Every write of this room. Imported as `from staff import actions`."""

from staff.actions.audit import record
from staff.actions.journal import note_changes

__all__ = ["note_changes", "record"]
