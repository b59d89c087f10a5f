"""Real FHIR R4 servers that live as long as a test run, each a process on a free port."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from tests.conformance.validator import class_path

HERE = Path(__file__).parent
# A short life: what the better compiler costs, it never earns.
JAVA = ("java", "-Xmx1g", "-XX:TieredStopAtLevel=1")
WARNINGS = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
END_S = 60


def hapi() -> AbstractContextManager[str]:
    """HAPI's JPA server. Raises Unavailable where Java or its parts are missing."""
    parts, program = class_path(HERE / "server" / "pom.xml"), HERE / "server" / "Serve.java"
    return _running((*JAVA, WARNINGS, "-cp", parts, str(program)))


def medplum() -> AbstractContextManager[str]:
    """Medplum's router over its repository in memory; `./dev fhir-server` brings its packages."""
    return _running(("node", f"{HERE}/medplum/serve.mjs"))


@contextmanager
def _running(command: Sequence[str]) -> Iterator[str]:
    """Yields the server's base address. It ends when its standard input does."""
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        try:
            base = process.stdout.readline().strip()  # nothing, if it ends before it listens
            assert base, f"the FHIR server did not start:\n{_text(errors)}"
            yield base
        finally:
            process.stdin.close()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
