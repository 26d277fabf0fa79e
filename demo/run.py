"""`make demo`: one process that prepares the demo clinic, starts web server and worker, and stops what it started.

A dead child is started again after a pause that is long enough to see the queue grow meanwhile.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
REST_SECONDS = 15  # before a dead child is started again
READY_SECONDS = 60
DATABASE = VAR / "demo.sqlite3"
LOGINS = VAR / "demo-logins.json"  # written last: without it the clinic was never filled to the end


@dataclass
class Child:
    """A process that we keep alive. `died_at` = monotonic time of its death, None while it runs."""

    name: str
    command: list[str]
    process: subprocess.Popen | None = None
    died_at: float | None = None

    def start(self) -> None:
        # Own session: Ctrl-C reaches only us, and we stop the children in order.
        self.process = subprocess.Popen(self.command, cwd=ROOT, start_new_session=True)
        self.died_at = None

    def watch(self) -> None:
        if self.process is None or self.process.poll() is None:
            return
        if self.died_at is None:
            self.died_at = time.monotonic()
            print(f"{self.name} has stopped; it starts again in {REST_SECONDS} s", flush=True)
        elif time.monotonic() - self.died_at > REST_SECONDS:
            self.start()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def wait(self) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(timeout=8)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass
class Demo:
    """What is going to run where."""

    port: int
    children: list[Child] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def fail(line: str) -> None:
    print(line, file=sys.stderr)
    raise SystemExit(1)


def check_port(port: int) -> None:
    """The port must be free: a second server on it would answer for us."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            fail(f"Port {port} is taken. Stop what listens there, or choose another: make demo PORT=8001")


def secret_key() -> str:
    """Made at the first start, kept beside the database: sessions and the audit chain live on."""
    file = VAR / "secret_key"
    if not file.exists():
        VAR.mkdir(exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(48), encoding="utf-8")
    return file.read_text(encoding="utf-8").strip()


def environment(port: int) -> None:
    """The demo's own settings, whatever stands in the caller's environment."""
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "clinic_crm.settings",
            "DEMO": "1",
            "DEBUG": "0",
            "SECRET_KEY": secret_key(),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "TICK_SECONDS": os.environ.get("TICK_SECONDS", "10"),
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONWARNINGS": "ignore",  # the terminal is for the address and the logins
        }
    )
    os.environ["DATABASE_URL"] = f"sqlite:///{DATABASE}"
    for name in ("REDIS_URL", "EMAIL_URL", "SMS_GATEWAY_URL"):
        os.environ[name] = ""


def let_commands_in(port: int) -> None:
    """A `.env` for management commands, so that `manage.py create_api_key …` reaches the demo. A person's own is kept."""
    file, first = ROOT / ".env", "# Written by make demo; delete it together with var/."
    if file.exists() and not file.read_text(encoding="utf-8").startswith(first):
        return
    lines = [f"SECRET_KEY_FILE={VAR / 'secret_key'}", f"DATABASE_URL=sqlite:///{DATABASE}", "DEMO=1"]
    file.touch(mode=0o600)
    file.write_text("\n".join([first, *lines, f"PUBLIC_URL=http://127.0.0.1:{port}", ""]), encoding="utf-8")


def prepare() -> dict[str, str]:
    """Migrate, fill when empty; {login: password} of the people of the demo."""
    import django

    if not LOGINS.exists():
        for leftover in VAR.glob("demo.sqlite3*"):
            leftover.unlink()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("fill_demo")
    return dict(json.loads(LOGINS.read_text(encoding="utf-8")))


def children(port: int) -> list[Child]:
    python = sys.executable
    web = [python, "-m", "gunicorn", "clinic_crm.wsgi", "-b", f"127.0.0.1:{port}", "-k", "gthread", "-w", "2"]
    worker = [python, "-m", "celery", "-q", "-A", "clinic_crm", "worker", "-B"]
    return [
        Child("web", [*web, "--threads", "4", "--log-level", "warning"]),
        Child("worker", [*worker, "-l", "ERROR", "--without-gossip", "--without-mingle"]),
    ]


def wait_until_ready(demo: Demo) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{demo.address}/healthz", timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    fail(f"The web server did not answer within {READY_SECONDS} s")


def banner(demo: Demo, logins: dict[str, str]) -> str:
    worker = next(child for child in demo.children if child.name == "worker")
    lines = [
        "",
        f"  Clinic CRM          {demo.address}/",
        f"  Mailbox of the demo {demo.address}/demo/mailbox/   (what the worker has sent; nothing leaves this machine)",
        f"  REST                {demo.address}/api/v1/docs/",
        "",
        *(f"  {login:<15} {password}" for login, password in logins.items()),
        "",
        f"  The worker is process {worker.process.pid if worker.process else '?'}: kill it and the queue grows; it comes back"
        f" after {REST_SECONDS} s and the queue drains.",
        "  Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


def stop(demo: Demo) -> None:
    for child in demo.children:
        child.stop()
    for child in demo.children:
        child.wait()


def interrupted(_signal: int, _frame: object) -> None:
    """Once: a second Ctrl-C must not interrupt the stopping and leave children behind."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - the caller's Python may well be older
        fail("Python 3.11 or newer is needed")
    port = int(os.environ.get("PORT") or 8000)
    check_port(port)
    environment(port)
    let_commands_in(port)
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, interrupted)
    demo = Demo(port, children(port))
    try:
        logins = prepare()
        for child in demo.children:
            child.start()
        wait_until_ready(demo)
        print(banner(demo, logins), flush=True)
        while True:
            time.sleep(1)
            for child in demo.children:
                child.watch()
    except KeyboardInterrupt:
        print("\nStopping …", flush=True)
    finally:
        stop(demo)


if __name__ == "__main__":
    main()
