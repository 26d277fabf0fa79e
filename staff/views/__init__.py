"""Pages of this room."""

from staff.views.login import csrf_failure, locked_out

__all__ = ["csrf_failure", "locked_out"]
