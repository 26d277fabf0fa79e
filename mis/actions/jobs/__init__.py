"""A file comes in: received, looked at, applied in batches, undone if need be."""

from mis.actions.jobs.receive import choose_columns, delete_old_files, discard, receive_file, start_import
from mis.actions.jobs.run import dry_run, run_import
from mis.actions.jobs.undo import start_undo, undo_import

__all__ = [
    "choose_columns",
    "delete_old_files",
    "discard",
    "dry_run",
    "receive_file",
    "run_import",
    "start_import",
    "start_undo",
    "undo_import",
]
