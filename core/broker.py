"""The embedded broker: kombu's one of files, made to survive writers that die and readers that come too early.

Kombu writes a message under its final name, so that a worker may find half of it (or, after a kill, for ever), and moves it
to another disk before it reads it. Either way the worker dies of a JSONDecodeError. Here a file appears whole or not at all,
is claimed by one rename, and one that cannot be read is thrown away: it only said "there is work", the tick says it again.
"""

from __future__ import annotations

import fcntl
import logging
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any

from kombu.transport import filesystem, virtual
from kombu.utils import json

logger = logging.getLogger(__name__)
Table = list[Any]  # of filesystem.exchange_queue_t
dumps: Callable[[Any], str] = json.dumps
loads: Callable[[str], Any] = json.loads


def write_whole(path: Path, content: str) -> None:
    """At once under its name. The name until then ends in what nobody looks for."""
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    part.write_text(content)
    part.replace(path)


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **_kwargs: Any) -> None:  # type: ignore[override]
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        write_whole(Path(self.data_folder_out) / name, dumps(payload))

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        for name in sorted(os.listdir(self.data_folder_in)):
            message = self._taken(name) if name.partition(".")[2] == f"{queue}.msg" else None
            if message is not None:
                return message
        raise Empty

    def _taken(self, name: str) -> dict[str, Any] | None:
        """None for one that another worker was first to take, and for one that is no message."""
        path = Path(self.data_folder_in) / name
        mine = path.with_name(f"{name}.{uuid.uuid4().hex}.taken")
        try:
            path.rename(mine)
        except FileNotFoundError:
            return None
        try:
            message = loads(mine.read_bytes().decode())
        except ValueError:
            message = None
        finally:
            mine.unlink()
        if isinstance(message, dict) and "properties" in message:
            return message
        logger.warning("threw away a broken message of the embedded broker")
        return None

    def _file_of(self, exchange: str) -> Path:
        path: Path = self._exchange_file(exchange)  # type: ignore[no-untyped-call]
        return path

    def get_table(self, exchange: str) -> Table:
        try:
            rows = loads(self._file_of(exchange).read_bytes().decode())
            return [filesystem.exchange_queue_t(*row) for row in rows]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError):
            logger.warning("a broken table of the embedded broker is made anew")
            return []

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self._change_table(exchange, lambda table: table if row in table else [row, *table])

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any) -> None:
        virtual.Channel._delete(self, queue, exchange, routing_key, pattern, *args, **kwargs)  # type: ignore[no-untyped-call]
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self._change_table(exchange, lambda table: [one for one in table if one != row])

    def _change_table(self, exchange: str, change: Callable[[Table], Table]) -> None:
        """One at a time; readers need no lock, for they find the table before or after it."""
        path = self._file_of(exchange)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f"{path.name}.lock").open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            before = self.get_table(exchange)
            after = change(before)
            if after != before or not path.exists():
                write_whole(path, dumps(after))


class Transport(filesystem.Transport):
    Channel = Channel
