"""`make check`: everything that can be said of the code without running the product. Stops at nothing, fails at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
APPS = [
    "clinic_crm", "core", "staff", "patients", "messaging", "funnel", "loyalty", "analytics", "followup", "reception",
    "mis", "demo",
]  # fmt: skip
# As in production: `check --deploy` must be clean in the shipped settings.
DEPLOY = {
    "DEBUG": "0",
    "DEMO": "0",
    "PUBLIC_URL": "https://clinic.example",
    "ALLOWED_HOSTS": "clinic.example",
    "SECRET_KEY": "".join(chr(33 + (n * 37) % 90) for n in range(64)),
}
STEPS = [
    ("format", [BIN / "ruff", "format", "--check", "."], {}),
    ("lint", [BIN / "ruff", "check", "."], {}),
    ("types", [BIN / "mypy", *APPS], {}),
    ("import contracts", [BIN / "lint-imports", "--no-cache"], {}),
    ("migrations are current", [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"], {}),
    ("check --deploy", [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], DEPLOY),
    ("translations", [sys.executable, "-m", "tests.translations", "check"], {}),
    ("OpenAPI", [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull], {}),
]
PLAIN = {"SECRET_KEY": "check-only-" + "0" * 50, "DATABASE_URL": "sqlite://:memory:"}


def main() -> int:
    failed = []
    for name, command, extra in STEPS:
        print(f"== {name}", flush=True)
        done = subprocess.run([str(part) for part in command], cwd=ROOT, env=os.environ | PLAIN | extra, check=False)
        if done.returncode:
            failed.append(name)
    print(f"== failed: {', '.join(failed)}" if failed else "== all checks passed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
