"""The pages of finding and listing with everything around them: gunicorn, all middleware, session, templates, audit.

    DATABASE_URL=postgres://…/x_bench python -m benchmarks.pages 100000

One worker process with four threads, one client with a kept connection (performance.md "Finding and listing"). Prints
milliseconds of a request as the client sees them and requests a second. It EMPTIES the database that it is given.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median, quantiles
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import Client

from benchmarks import search  # sets Django up
from reception.queries.people import write_key
from staff.access import SYSTEM
from staff.actions.keys import make_key
from tests.drills.clinic import free_port

REQUESTS, WARM = 150, 15
HTML = "application/x-www-form-urlencoded"


class Browser:
    """A signed-in owner over one kept connection."""

    def __init__(self, port: int) -> None:
        self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        users, client = get_user_model().objects, Client()
        client.force_login(users.create_user(login=f"bench{port}", full_name="Bench", role="owner", password="x" * 20))
        token = "t" * 32
        session = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
        self.page = {"Cookie": f"{session}; {settings.CSRF_COOKIE_NAME}={token}"}
        self.form = {**self.page, "X-CSRFToken": token, "HX-Request": "true", "Content-Type": HTML}
        key = make_key(name=f"bench{port}", role="owner", branch=None, by=SYSTEM, now=datetime.now(UTC))[1]
        self.api = {"Authorization": f"Api-Key {key}"}

    def ask(self, method: str, path: str, headers: dict[str, str], body: str | None = None) -> bytes:
        self.link.request(method, path, body, headers)
        answer = self.link.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{method} {path}: {answer.status} {said[:200]!r}")
        return said


def cases(browser: Browser, count: int) -> dict[str, Callable[[], bytes]]:
    texts = search.texts(count, random.Random(3))
    dice = random.Random(4)

    def find(kind: str) -> Callable[[], bytes]:
        return lambda: browser.ask("POST", "/find/", browser.form, urlencode({"q": dice.choice(texts[kind])}))

    rows = search.Patient.objects.order_by("last_name", "first_name", "pk")
    deep = write_key(rows.values_list("last_name", "first_name", "pk")[int(count * 0.9)])
    after = json.loads(browser.ask("GET", "/api/v1/patients/", browser.api))["next"]
    return {
        "find: beginning of a last name": find("beginning of a last name"),
        "find: first name": find("first name"),
        "find: last four digits": find("last four digits"),
        "list, first page": lambda: browser.ask("GET", "/patients/", browser.page),
        "list, deep page": lambda: browser.ask("GET", f"/patients/?after={deep}", browser.page),
        "list by value": lambda: browser.ask("GET", "/patients/?order=value", browser.page),
        "REST list, next page": lambda: browser.ask("GET", str(after), browser.api),
        "an empty page (/healthz)": lambda: browser.ask("GET", "/healthz", {}),
    }


def measure(browser: Browser, count: int) -> None:
    print(f"-- {count} patients; ms of a request: p50, p95; requests a second; KB")
    for name, ask in cases(browser, count).items():
        size = len([ask() for _warm in range(WARM)][-1])
        times = []
        for _request in range(REQUESTS):
            begin = time.perf_counter()
            ask()
            times.append((time.perf_counter() - begin) * 1000)
        rate = 1000 * len(times) / sum(times)
        print(
            f"{name:32} {median(times):7.1f} {quantiles(times, n=20)[-1]:7.1f} {rate:7.0f} {size / 1024:6.0f}",
            flush=True,
        )


def main() -> None:
    if not connection.settings_dict["NAME"].endswith("_bench"):
        raise SystemExit("this empties its database: its name must end in _bench")
    call_command("migrate", verbosity=0)
    count, port = int((sys.argv[1:] or ["10000"])[0]), free_port()
    search.fill(count)
    search.values(count)
    words = [
        "-m",
        "gunicorn",
        "clinic_crm.wsgi",
        "-b",
        f"127.0.0.1:{port}",
        "-k",
        "gthread",
        "-w",
        "1",
        "--threads",
        "4",
    ]
    env = os.environ | {"ALLOWED_HOSTS": "127.0.0.1", "PUBLIC_URL": "http://127.0.0.1", "LOG_LEVEL": "WARNING"}
    server = subprocess.Popen([sys.executable, *words, "--keep-alive", "60", "--log-level", "error"], env=env)
    try:
        time.sleep(5)
        measure(Browser(port), count)
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
