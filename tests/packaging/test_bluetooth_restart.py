"""The helper that restarts bluetoothd: it waits for the very file that the gateway makes."""

import subprocess
from pathlib import Path

from gateway.config import Gateway
from gateway.daemon import RESTART_FILE

UNITS = Path(__file__).parents[2] / "packaging"
NAME = "hjemgate-bluetooth-restart"
FILE = Gateway(id="gw-0123456789", organisation="org").socket.with_name(RESTART_FILE)


def lines(suffix: str) -> list[str]:
    return (UNITS / f"{NAME}.{suffix}").read_text(encoding="utf-8").splitlines()


def test_systemd_understands_every_line() -> None:
    # bluetooth.service need not be here: only words about our own units are faults.
    ran = subprocess.run(
        ["systemd-analyze", "verify", UNITS / f"{NAME}.path", UNITS / f"{NAME}.service"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert [line for line in ran.stderr.splitlines() if NAME in line] == []


def test_it_waits_for_the_file_that_the_gateway_makes() -> None:
    assert f"PathExists={FILE}" in lines("path")


def test_the_file_goes_before_anything_else() -> None:
    starts = [line for line in lines("service") if line.startswith("ExecStart=")]
    assert starts == [
        f"ExecStart=/usr/bin/rm -f {FILE}",
        "ExecStart=/usr/bin/systemctl restart bluetooth.service",
    ]
