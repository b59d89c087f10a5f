"""A real PostgreSQL for tests: a throw-away folder, a Unix socket, no network, no privileges."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

USER = "postgres"  # the Debian package makes it; PostgreSQL refuses to run as root


class Postgres:
    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def database(self) -> str:
        """The address of a new, empty one."""
        self._count += 1
        name = f"receiver_{self._count}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._address(name)

    def _address(self, name: str) -> str:
        return f"postgresql:///{name}?host={self._folder}&user={USER}"

    def hang_up(self, database: str) -> None:
        """End every connection to *database*, as a restart of the server would."""
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = %s",
                (database.partition("///")[2].partition("?")[0],),
            )


def binaries() -> Path | None:
    """Where Debian has them, the newest version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
    return found[-1] if found else None


@contextmanager
def server(where_to: Path | None = None, *, safe: bool = False) -> Iterator[Postgres]:
    """Started, and ended with its folder, which is made below *where_to*.

    *safe*: it waits for the disk at every commit, as outside of tests.
    """
    where = binaries()
    assert where is not None, "PostgreSQL is not installed: apt install postgresql"
    folder = Path(tempfile.mkdtemp(prefix="hjemgate-postgres-", dir=where_to))
    data = folder / "data"
    fsync = "on" if safe else "off"  # nobody pulls the plug of a test
    options = f"-k {folder} -c listen_addresses= -c fsync={fsync}"
    try:
        if os.geteuid() == 0:
            account = pwd.getpwnam(USER)
            os.chown(folder, account.pw_uid, account.pw_gid)
        _run(where / "initdb", "-D", str(data), "-A", "trust", "-U", USER, "-E", "UTF8")
        _run(where / "pg_ctl", "-D", str(data), "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield Postgres(folder)
        finally:
            _run(where / "pg_ctl", "-D", str(data), "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: Path, *arguments: str) -> None:
    user = USER if os.geteuid() == 0 else None
    done = subprocess.run(
        [str(program), *arguments],
        user=user,
        group=user,
        extra_groups=[] if user else None,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        timeout=120,
    )
    assert done.returncode == 0, done.stdout.decode()
