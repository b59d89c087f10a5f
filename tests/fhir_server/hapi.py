"""A real FHIR R4 server that lives as long as a test run: HAPI's JPA server in one Java process."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.conformance.validator import class_path

HERE = Path(__file__).parent / "server"
# A short life: what the better compiler costs, it never earns.
JAVA = ("java", "-Xmx1g", "-XX:TieredStopAtLevel=1")
WARNINGS = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
END_S = 60


@contextmanager
def running() -> Iterator[str]:
    """Yields the server's base address. Raises Unavailable where Java or its parts are missing."""
    command = (*JAVA, WARNINGS, "-cp", class_path(HERE / "pom.xml"), str(HERE / "Serve.java"))
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
