"""A folder in the exchange format comes in: checked as a whole, streamed in batches, safe to load again."""

from mis.actions.folder.load import BATCH, FileReport, FolderReport, Progress, Rejected, RejectedAny, import_folder

__all__ = ["BATCH", "FileReport", "FolderReport", "Progress", "Rejected", "RejectedAny", "import_folder"]
