"""The embedded broker: a file that is half written, cut off or nonsense costs a wake-up, never the worker."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection, Exchange, Queue

from clinic_crm.celery import app

QUEUE = Queue("work", Exchange("work"), routing_key="work", durable=True)
FAN = Exchange("all", type="fanout")
WORKS = {"work": "there is"}


@pytest.fixture
def connection(tmp_path):
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    options = {"data_folder_in": str(tmp_path / "queue"), "data_folder_out": str(tmp_path / "queue")}
    with Connection("embedded://", transport_options=options | {"control_folder": str(tmp_path / "control")}) as opened:
        opened.transport.state.clear()  # what is bound is remembered by the process
        yield opened


def said(queue) -> object:
    message = queue.get(block=False)
    message.ack()
    return message.payload


def test_it_is_the_broker_where_there_is_no_other():
    assert app.connection_for_write("embedded://").transport_cls == "embedded"
    assert Connection("embedded://").transport.__class__.__module__ == "core.broker"


@pytest.mark.parametrize("broken", [b"", b'{"body": "c', b"null", b"[1]", b"\xff\xfe", b"{}"])
def test_a_broken_message_is_thrown_away_and_the_next_one_is_read(connection, tmp_path, broken):
    queue = connection.SimpleQueue(QUEUE)
    Path(tmp_path, "queue", "0_first.work.msg").write_bytes(broken)
    queue.put(WORKS)
    assert said(queue) == WORKS
    with pytest.raises(Empty):
        queue.get(block=False)
    assert list(Path(tmp_path, "queue").iterdir()) == []


def test_half_of_a_message_is_not_a_message_yet(connection, tmp_path, monkeypatch):
    queue = connection.SimpleQueue(QUEUE)
    seen: list[object] = []
    write = Path.write_text

    def slowly(path, content):
        """A writer that was stopped in the middle: what does a reader find then?"""
        write(path, content[: len(content) // 2])
        with pytest.raises(Empty):
            seen.append(queue.get(block=False))
        return write(path, content)

    monkeypatch.setattr(Path, "write_text", slowly)
    queue.put(WORKS)
    assert said(queue) == WORKS and seen == []


@pytest.mark.parametrize("broken", [b"", b'[["", "", "one', b"5", b"[[1]]"])
def test_a_broken_table_of_queues_is_made_anew(connection, tmp_path, broken):
    Path(tmp_path, "control", "all.exchange").write_bytes(broken)
    first, second = (connection.SimpleQueue(Queue(name, FAN)) for name in ("one", "two"))
    with connection.Producer() as producer:
        producer.publish(WORKS, exchange=FAN, declare=[FAN])
    assert said(first) == said(second) == WORKS
    first.queue.bind(connection.default_channel).delete()
    with connection.Producer() as producer:
        producer.publish(WORKS, exchange=FAN)
    assert said(second) == WORKS


def test_each_message_goes_to_one_of_many_workers(connection, tmp_path):
    queue = connection.SimpleQueue(QUEUE)
    for number in range(60):
        queue.put(number)
    options, found = connection.transport_options, []

    def work() -> None:
        with Connection("embedded://", transport_options=options) as mine:
            taken = mine.SimpleQueue(QUEUE)
            while True:
                try:
                    found.append(said(taken))
                except Empty:
                    return

    workers = [threading.Thread(target=work) for _n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(found) == list(range(60))
