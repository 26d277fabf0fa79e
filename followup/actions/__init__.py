"""What follows from a visit. Imported as `from followup import actions`."""

from followup.actions.sweep import sweep
from followup.actions.visits import follow_up

__all__ = ["follow_up", "sweep"]
