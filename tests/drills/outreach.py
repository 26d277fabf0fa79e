"""A clinic in the middle of its campaigns: patients opt out, a person stops everything, servers die and come back."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from messaging.queries.links import UNSUBSCRIBE
from messaging.rules.links import signed
from tests.drills.campaign import OPTS_OUT, REVOKED
from tests.drills.clinic import Clinic
from tests.drills.cluster import Cluster

# Handed over or perhaps handed over: the provider may take such a row after the stop. Nothing else may leave.
GONE = {"inflight", "unknown", "sent", "delivered", "undelivered"}
WORK = """SELECT count(*) FROM messaging_message WHERE state IN ('queued', 'claimed', 'inflight')
    OR state = 'unknown' AND next_check_at IS NOT NULL"""


@dataclass
class Stops:
    """Moments (`time.time()`) after which a number must not be written to, and how many calls could not be held back."""

    after: dict[str, float] = field(default_factory=dict)
    allowed: int = 0
    opted_out: int = 0

    def note(self, rows: Iterable[tuple[str, str]], moment: float) -> None:
        """`rows` = (number, state) as they stood after the stop was committed."""
        for address, state in rows:
            if state in GONE:
                self.allowed += state in ("inflight", "unknown")
            else:
                self.after.setdefault(address, moment)


class Outreach(Clinic):
    def __init__(self, place: Path, seed: int, *, cluster: Cluster | None = None) -> None:
        super().__init__(place, seed, postgresql=cluster.url if cluster else "")
        self.cluster, self.stops, self.halted = cluster, Stops(), Stops()
        self.left_at_halt = 0
        self.gateway_words.append("--worse")
        # A second more than the provider ever takes, also on a loaded machine.
        self.env["SMS_GATEWAY_SETTLE_SECONDS"] = "2"

    # --- what people do ------------------------------------------------------------------------------------------
    def deed(self, *words: str) -> None:
        self.run("-m", "tests.drills.campaign", *words)

    def opt_out(self, most: int) -> None:
        """Some patients follow the link of their message; those first whose message is being sent just now."""
        asked = self.rows(
            f"SELECT id, address FROM messaging_message WHERE address LIKE '+79{OPTS_OUT}%'"
            " AND state IN ('claimed', 'inflight', 'queued') ORDER BY CASE state WHEN 'queued' THEN 1 ELSE 0 END, id"
        )
        new = [(pk, address) for pk, address in asked if address not in self.stops.after][:most]
        done = [address for pk, address in new if self._follow(pk)]
        if done:
            self.stops.opted_out += len(done)
            moment, rows = self._after_all_before()
            self.stops.note([row for row in rows if row[0] in set(done)], moment)

    def _follow(self, pk: int) -> bool:
        """One click (RFC 8058). False while the web server has no database: he will try again."""
        code = signed(UNSUBSCRIBE, pk, secret=self.env["SECRET_KEY"])
        url = f"http://127.0.0.1:{self.web_port}/u/{code}/"
        try:
            with urllib.request.urlopen(url, b"List-Unsubscribe=One-Click", timeout=30) as answer:
                return bool(answer.status == 200)
        except OSError as error:
            print(f"  opting out failed: {error}", flush=True)
            return False

    def halt(self) -> int:
        """Everything stops, one approval is taken back, then all goes on. How many had left when it stopped."""
        self.deed("halt")
        moment, rows = self._after_all_before()
        self.halted.note(rows, moment)
        waiting = "SELECT count(*) FROM messaging_message WHERE state IN ('claimed', 'inflight')"
        begin = time.monotonic()
        while time.monotonic() - begin < 5 or (self.rows(waiting) != [(0,)] and time.monotonic() - begin < 120):
            time.sleep(0.5)
            self.thaw()
            self.restart_dead()
        calls = self.judge("calls")["calls"]
        late = sorted(to for to, at in self.halted.after.items() if to in calls and calls[to]["at"] > at)
        assert late == [], f"left after everything was stopped: {late[:5]}"
        assert self.rows(waiting) == [(0,)], "still claimed or inflight long after the stop"
        self.stops.note([row for row in rows if row[0].startswith(f"+79{REVOKED}")], moment)
        self.deed("go_on")
        return sum(1 for call in calls.values() if call["at"] <= moment)

    def _after_all_before(self) -> tuple[float, list[tuple[str, str]]]:
        """All (number, state), once every transaction that began before now is over: a decision that was being made when
        the patient spoke is one of those that could not be held back."""
        if self.postgresql:
            now = self.rows("SELECT clock_timestamp()::text")[0][0]
            older = f"""SELECT count(*) FROM pg_stat_activity WHERE datname = '{self.database_name}'
                AND xact_start < '{now}' AND pid <> pg_backend_pid()"""
            begin = time.monotonic()
            while self.rows(older) != [(0,)]:
                assert time.monotonic() - begin < 120, "a transaction of two minutes"
                self.thaw()  # it may be the transaction of a process that we froze ourselves
                time.sleep(0.02)
        moment = time.time()
        return moment, self.rows("SELECT address, state FROM messaging_message")  # type: ignore[return-value]

    # --- what breaks ---------------------------------------------------------------------------------------------
    def work(self) -> int:
        return int(self.rows(WORK)[0][0])

    def crash_database(self) -> str:
        assert self.cluster is not None
        self.cluster.crash_and_restart()
        return "PostgreSQL crashed and restarted"

    def restart_broker(self) -> str:
        """With nothing saved: every task that waited is lost."""
        self._flush("")
        self.stop("redis")
        time.sleep(self.random.uniform(0.2, 2))
        self.start("redis")
        return "Redis flushed and restarted"

    def run_through(self, *, messages: int, kills: int, within: float) -> tuple[float, int]:
        """(seconds, how many had left at the halt). At quarters of the work a server dies; at half everything stops."""
        begin = time.monotonic()
        while self.work() == messages and time.monotonic() - begin < 120:
            time.sleep(0.1)  # shooting at workers that are still starting proves nothing
        begin = time.monotonic()
        plan = self._plan(messages)
        while (left := self.work()) and time.monotonic() - begin < within:
            for share in [share for share in plan if left <= messages * share]:
                print(f"  {time.monotonic() - begin:5.1f} s  {plan.pop(share)()}, {left} left", flush=True)
            for _blow in range(3):  # the faster the work goes, the more blows: its share of them at every moment
                if self.sigkills < min(kills, 1 + kills * (1 - left / messages)):
                    print(f"  {time.monotonic() - begin:5.1f} s  {self.kill_something()}, {left} left", flush=True)
            self.opt_out(max(2, messages // 500))
            self.thaw()
            self.restart_dead()
            time.sleep(self.random.uniform(0.1, max(0.8, messages / 20_000)))
        return time.monotonic() - begin, self.left_at_halt

    def _plan(self, messages: int) -> dict[float, Callable[[], str]]:
        def stop() -> str:
            self.left_at_halt = self.halt()
            return f"stopped and went on, {self.left_at_halt} had left"

        plan: dict[float, Callable[[], str]] = {0.5: stop}
        if self.cluster:
            plan |= {0.8: self.crash_database, 0.35: self.restart_broker}
            plan |= {0.25: self.crash_database} if messages >= 5000 else {}
        return plan


def start(clinic: Outreach, messages: int, workers: int, pool: tuple[str, ...]) -> None:
    clinic.deed("fill", str(messages))
    clinic.start_web()
    clinic.start_workers(workers, pool)
