"""Every write of this room. Imported as `from mis import actions`."""

from mis.actions.folder import import_folder
from mis.actions.jobs import (
    choose_columns,
    delete_old_files,
    discard,
    dry_run,
    receive_file,
    run_import,
    start_import,
    start_undo,
    undo_import,
)

__all__ = [
    "choose_columns",
    "delete_old_files",
    "discard",
    "dry_run",
    "import_folder",
    "receive_file",
    "run_import",
    "start_import",
    "start_undo",
    "undo_import",
]
