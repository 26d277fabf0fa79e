"""`make bench`: every benchmark, each in its own database beside that of DATABASE_URL. PostgreSQL only; prints ratios.

    DATABASE_URL=postgres://user@host:5432/anything python -m benchmarks [name …]

A benchmark EMPTIES its database, so each gets one whose name ends in `_bench`, made here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg2

SIZES = {
    "facts": ["10000", "100000"],
    "search": ["10000", "100000", "1000000"],
    "pages": ["100000"],
    "bulk": [],
    "folder": [],
    "sending": [],
    "audience": ["10000", "100000"],
    "dashboard": ["3000", "100000"],
}


def database(name: str) -> str:
    """The URL of a database for this benchmark, made when it is not there."""
    url = urlsplit(os.environ["DATABASE_URL"])
    link = psycopg2.connect(os.environ["DATABASE_URL"])
    link.autocommit = True
    with link.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [f"{name}_bench"])
        if not cursor.fetchone():
            cursor.execute(f'CREATE DATABASE "{name}_bench"')
    link.close()
    return urlunsplit(url._replace(path=f"/{name}_bench"))


def main(names: list[str]) -> int:
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        print("set DATABASE_URL to a PostgreSQL database", file=sys.stderr)
        return 2
    failed = []
    for name in names or list(SIZES):
        print(f"== {name}", flush=True)
        env = os.environ | {"DATABASE_URL": database(name), "DEMO": "1"}
        env.setdefault("SECRET_KEY", "bench-only-" + "0" * 50)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *SIZES[name]], env=env, check=False).returncode:
            failed.append(name)
    print(f"== failed: {failed}" if failed else "== done")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
