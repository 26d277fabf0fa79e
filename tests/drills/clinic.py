"""A clinic of real processes to be shot at: gateway, broker, database, web server, beat, workers."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
CELERY = [sys.executable, "-m", "celery", "-A", "clinic_crm"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


FINAL = {"sent", "delivered", "undelivered", "refused", "skipped", "expired"}


class Clinic:
    """Every process in a session of its own, so that a whole worker (parent and children) can be killed at once."""

    def __init__(
        self,
        place: Path,
        seed: int,
        *,
        postgresql: str = "",
        keys: bool = True,
        faults: float = 0.1,
        latency: tuple[float, float] = (0.005, 0.06),
        hooks: bool = True,
    ) -> None:
        self.place, self.random, self.processes = place, random.Random(seed), {}
        self.commands: dict[str, list[str]] = {}
        self.postgresql, self.redis_port = postgresql, free_port()
        self.gateway_port, self.web_port = free_port(), free_port()
        self.kills = self.sigkills = 0
        self.frozen: list[tuple[float, int]] = []  # (when to go on, process)
        hook = ["--hook", f"http://127.0.0.1:{self.web_port}/api/v1/hooks/messages/sms/", "--secret", "drill"]
        words = ["--port", str(self.gateway_port), "--seed", str(seed), "--faults", str(faults)]
        words += ["--latency", *map(str, latency)] + ([] if keys else ["--no-keys"]) + (hook if hooks else [])
        self.gateway_words = [sys.executable, "-m", "tests.drills.gateway", *words]
        self.env = os.environ | {
            "VAR_DIR": str(place), "DATABASE_URL": self.database_url(), "DEMO": "0", "DEBUG": "0",
            "PYTHONWARNINGS": "ignore",
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0" if postgresql else "",
            "SECRET_KEY": "drill" * 12, "SMS_GATEWAY_URL": f"http://127.0.0.1:{self.gateway_port}",
            "SMS_GATEWAY_SECRET": "drill", "SMS_GATEWAY_DEDUPE": "key" if keys else "lookup", "EMAIL_URL": "",
            "SENDING_LEASE_SECONDS": "4", "SMS_GATEWAY_SETTLE_SECONDS": "1", "SENDING_BATCH": "60", "TICK_SECONDS": "1",
            "LOG_LEVEL": "WARNING", "ALLOWED_HOSTS": "127.0.0.1", "PUBLIC_URL": "http://127.0.0.1",
        }  # fmt: skip

    def database_url(self) -> str:
        if not self.postgresql:
            return f"sqlite:///{self.place}/drill.sqlite3"
        server = urlsplit(self.postgresql)
        return server._replace(path=f"/drill_{os.getpid()}_{self.redis_port}").geturl()

    # --- starting and stopping -----------------------------------------------------------------------------------
    def __enter__(self) -> Clinic:
        self.log = (self.place / "log").open("ab")
        if self.postgresql:
            self.admin(f'CREATE DATABASE "{self.database_name}"')
            self.start("redis", ["redis-server", "--port", str(self.redis_port), "--save", "", "--appendonly", "no"])
        try:
            self.start("gateway", self.gateway_words)
            self.run("manage.py", "migrate", "--verbosity", "0")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for name in list(self.processes):
            self.stop(name)
        self.log.close()
        if self.postgresql:
            self.admin(f'DROP DATABASE IF EXISTS "{self.database_name}" WITH (FORCE)')

    def run(self, *words: str) -> None:
        subprocess.run([sys.executable, *words], cwd=ROOT, env=self.env, check=True, timeout=300)

    def start(self, name: str, command: list[str] | None = None) -> None:
        self.commands[name] = command or self.commands[name]
        self.processes[name] = subprocess.Popen(
            self.commands[name], cwd=ROOT, env=self.env, stdout=self.log, stderr=self.log, start_new_session=True
        )

    def stop(self, name: str) -> None:
        """The whole group, at once and without mercy."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def start_web(self) -> None:
        words = ["-m", "gunicorn", "clinic_crm.wsgi", "-b", f"127.0.0.1:{self.web_port}", "--threads", "4"]
        self.start("web", [sys.executable, *words, "--log-level", "error"])

    def start_workers(self, number: int, pool: tuple[str, ...] = ("--pool", "prefork", "-c", "2")) -> None:
        self.start("beat", [*CELERY, "beat", "-l", "error", "--schedule", str(self.place / "schedule")])
        for index in range(number):
            self.start(f"worker{index}", [*CELERY, "worker", "-l", "error", "-n", f"w{index}@drill", *pool])

    # --- shooting ------------------------------------------------------------------------------------------------
    def children(self, name: str) -> list[int]:
        main = self.processes[name].pid
        found = subprocess.run(["pgrep", "-P", str(main)], capture_output=True, text=True, check=False).stdout.split()
        return [int(pid) for pid in found]

    def kill_something(self) -> str:
        """One random blow. A supervisor starts again what died."""
        workers = [name for name in self.processes if name.startswith("worker")]
        blows: list[Callable[[str], str]] = [self._kill_child] * 5 + [self._kill_worker]
        if self.postgresql:
            blows += [self._flush, self._cut, self._freeze]
        self.kills += 1
        return self.random.choice(blows)(self.random.choice(workers))

    def _kill_child(self, worker: str) -> str:
        children = self.children(worker)
        if not children:
            return self._kill_worker(worker)
        signals = [signal.SIGKILL] * 9 + [signal.SIGTERM]
        chosen = self.random.choice(signals)
        with suppress(ProcessLookupError):  # hit a moment ago, it may be gone between the look and the blow
            os.kill(self.random.choice(children), chosen)
            self.sigkills += chosen == signal.SIGKILL
        return f"child of {worker}"

    def _kill_worker(self, worker: str) -> str:
        self.stop(worker)
        self.sigkills += 1
        self.start(worker)
        return worker

    def _freeze(self, worker: str) -> str:
        """A zombie: stopped past its lease, then going on as if nothing had happened."""
        children = self.children(worker)
        if not children:
            return self._kill_worker(worker)
        pid = self.random.choice(children)
        os.kill(pid, signal.SIGSTOP)
        self.frozen.append((time.monotonic() + 6, pid))
        return f"child of {worker} frozen"

    def thaw(self) -> None:
        for at, pid in list(self.frozen):
            if at < time.monotonic():
                self.frozen.remove((at, pid))
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _flush(self, _worker: str) -> str:
        begin = time.monotonic()
        flush = ["redis-cli", "-p", str(self.redis_port), "FLUSHALL"]
        while subprocess.run(flush, check=False, capture_output=True).returncode:
            assert time.monotonic() - begin < 60, "Redis does not come back"  # it was restarted a moment ago
            time.sleep(0.1)
        return "FLUSHALL"

    def _cut(self, _worker: str) -> str:
        self.admin(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.database_name}'")
        return "connections"

    def restart_dead(self) -> None:
        """What a supervisor does."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.start(name)

    # --- asking --------------------------------------------------------------------------------------------------
    @property
    def database_name(self) -> str:
        return urlsplit(self.database_url()).path.lstrip("/")

    def admin(self, sql: str) -> None:
        """On the server, not in the drill's database."""
        import psycopg2

        connection = psycopg2.connect(urlsplit(self.postgresql)._replace(path="/postgres").geturl())
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
        connection.close()

    def rows(self, sql: str) -> list[tuple]:
        """Our own connection may be cut, or the server be restarted, too: asked again for a minute."""
        import sqlite3

        import psycopg2

        begin = time.monotonic()
        while True:
            try:
                return self._rows(sql)
            except (psycopg2.OperationalError, psycopg2.InterfaceError, sqlite3.OperationalError):
                if time.monotonic() - begin > 60:
                    raise
                time.sleep(0.2)

    def _rows(self, sql: str) -> list[tuple]:
        if self.postgresql:
            import psycopg2

            connection = psycopg2.connect(self.database_url())
        else:
            import sqlite3

            connection = sqlite3.connect(self.place / "drill.sqlite3", timeout=20)
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return list(cursor.fetchall())
        finally:
            connection.close()

    def states(self) -> dict[str, int]:
        return dict(self.rows("SELECT state, count(*) FROM messaging_message GROUP BY state"))

    def open(self) -> int:
        return sum(number for state, number in self.states().items() if state not in FINAL)

    def judge(self, query: str = "") -> dict:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.gateway_port}/judge?{query}", timeout=60) as answer:
            return dict(json.loads(answer.read()))

    def shoot_until_done(self, *, kills: int, pause: tuple[float, float], within: float) -> float:
        """Blows at random moments while there is work; then wait for the rest. Returns the seconds it took."""
        begin, all_of_it = time.monotonic(), self.open()
        while self.open() == all_of_it and time.monotonic() - begin < 60:
            time.sleep(0.1)  # shooting at workers that are still starting proves nothing
        begin = time.monotonic()
        while time.monotonic() - begin < within and self.open():
            time.sleep(self.random.uniform(*pause))
            if self.kills < kills:
                print(f"  {time.monotonic() - begin:5.1f} s  {self.kill_something()}  {self.states()}", flush=True)
            self.thaw()
            self.restart_dead()
        return time.monotonic() - begin
