"""What the daemon writes: ready for the journal, discreet about addresses."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging
from gateway.commands import logs
logs.set_up("debug")
log = logging.getLogger("gateway.collect")
log.debug("heard %s", "C0:11:22:33:44:51")
log.info("heard %s", "C0:11:22:33:44:51")
log.warning("%s: gone", "/org/bluez/hci0/dev_C0_11_22_33_44_51")
log.error("broken")
"""


def written(path: Path, journal: bool) -> list[str]:
    """What PROGRAM logs to a file, which stands for the journal's stream or does not."""
    with path.open("wb") as file:
        stat = os.fstat(file.fileno())
        stream = f"{stat.st_dev}:{stat.st_ino}" if journal else "0:0"
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            stderr=file,
            env=os.environ | {"JOURNAL_STREAM": stream},
            check=True,
        )
    return path.read_text().splitlines()


def test_the_journal_gets_a_priority_with_each_line(tmp_path: Path) -> None:
    assert written(tmp_path / "log", journal=True) == [
        "<7>gateway.collect: heard C0:11:22:33:44:51",
        "<6>gateway.collect: heard ..:44:51",
        "<4>gateway.collect: /org/bluez/hci0/dev_..:44:51: gone",
        "<3>gateway.collect: broken",
    ]


def test_a_terminal_gets_the_time_and_the_level(tmp_path: Path) -> None:
    lines = written(tmp_path / "log", journal=False)
    assert [line.split()[1] for line in lines] == ["DEBUG", "INFO", "WARNING", "ERROR"]
