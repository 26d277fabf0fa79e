"""A PostgreSQL server of a drill's own, that may be shot in the middle of its work."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.drills.clinic import free_port

SETTINGS = """
port = {port}
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
max_connections = 200
# What dies is the server, not the machine: the WAL survives in the system's cache, so that waiting for the disk proves nothing.
fsync = off
"""


def binaries() -> Path | None:
    """The folder of the newest installed server's programs; None = there is none here."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    found += [Path(on_path).resolve().parent] if on_path else []
    return max(found, key=lambda folder: int("0" + "".join(filter(str.isdigit, folder.parent.name))), default=None)


class Cluster:
    """`with Cluster() as cluster: cluster.url`. PostgreSQL refuses to run as root: then it runs as `postgres` or `nobody`."""

    def __init__(self) -> None:
        found = binaries()
        if found is None:
            raise RuntimeError("the programs of PostgreSQL's server are not installed")
        self.programs, self.port = found, free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="drill-postgresql-"))
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.restarts = 0

    def __enter__(self) -> Cluster:
        if os.getuid() == 0:
            owner = self._owner()
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        try:
            words = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
            self._run("initdb", *words)
            with (self.folder / "data" / "postgresql.conf").open("a") as conf:
                conf.write(SETTINGS.format(port=self.port, folder=self.folder))
            self._run("pg_ctl", "start", "-w", "-t", "60", "-l", str(self.folder / "log"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-m", "immediate", "-w")
        shutil.rmtree(self.folder)

    def crash_and_restart(self) -> None:
        """Every backend dies at once, without a checkpoint; the server comes back by its WAL."""
        self.restarts += 1
        self._run("pg_ctl", "restart", "-m", "immediate", "-w", "-t", "120", "-l", str(self.folder / "log"))

    @staticmethod
    def _owner() -> pwd.struct_passwd:
        names = {user.pw_name: user for user in pwd.getpwall()}
        return names.get("postgres") or names["nobody"]

    def _run(self, program: str, *words: str) -> None:
        as_whom: dict = {}
        if os.getuid() == 0:
            owner = self._owner()
            as_whom = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        command = [str(self.programs / program), "-D", str(self.folder / "data"), *words]
        with (self.folder / f"{program}.out").open("ab") as out:
            subprocess.run(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True, timeout=180,
                **as_whom,
            )  # fmt: skip
