"""Two lanes on PostgreSQL: while the database writes one batch, the next one is read and checked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from threading import Barrier
from typing import Any, TypeVar

from django.db import connection
from django.utils import translation

LANES = 2
Batch = TypeVar("Batch")
Result = TypeVar("Result")


def recorded(batches: Iterable[Batch], record: Callable[[Batch], Result]) -> Iterator[tuple[Batch, Result]]:
    """(batch, what `record` said of it), in the order of the batches.

    Each lane has its own connection, so lanes are only for batches that are transactions of their own: inside a
    transaction, and on SQLite, where one writes at a time, everything runs here.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        for batch in batches:
            yield batch, record(batch)
        return
    language = translation.get_language()

    def work(batch: Batch) -> Result:
        with translation.override(language):
            return record(batch)

    under_way: deque[tuple[Batch, Future[Result]]] = deque()
    with lanes() as pool:
        for batch in batches:
            under_way.append((batch, pool.submit(work, batch)))
            if len(under_way) > LANES:
                first, future = under_way.popleft()
                yield first, future.result()
        for first, future in under_way:
            yield first, future.result()


@contextmanager
def lanes() -> Iterator[ThreadPoolExecutor]:
    """A pool whose threads keep their connection from batch to batch (a new one learns all plans again), and close it
    at the end: nobody else could.
    """
    with ThreadPoolExecutor(LANES, thread_name_prefix="folder") as pool:
        try:
            yield pool
        finally:
            meet = Barrier(LANES)  # each thread takes exactly one of these

            def leave() -> None:
                meet.wait()
                connection.close()

            for last in [pool.submit(leave) for _lane in range(LANES)]:
                last.result()


def chunks(entries: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(entries)
    while chunk := list(islice(rest, size)):
        yield chunk
