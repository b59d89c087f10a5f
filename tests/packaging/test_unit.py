"""The sample unit: systemd understands every line, and it is shut in as tightly as promised."""

import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "packaging" / "hjemgate.service"
EXPOSURE_TENTHS = 15  # of systemd's scale of 0 to 10: what the design allows


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists here: systemd looks for it."""
    copy = tmp_path / UNIT.name
    lines = [
        "ExecStart=/bin/true" if line.startswith("ExecStart=") else line
        for line in UNIT.read_text(encoding="utf-8").splitlines()
    ]
    copy.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return copy


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=30
    )


def test_systemd_understands_every_line(unit: Path) -> None:
    # An unknown key is said and ignored with exit status 0: any word about our unit is a fault.
    said = analyze("verify", unit).stderr
    assert [line for line in said.splitlines() if unit.name in line] == []


def test_the_exposure_is_no_more_than_promised(unit: Path) -> None:
    ran = analyze("security", "--offline=true", f"--threshold={EXPOSURE_TENTHS}", unit)
    assert ran.returncode == 0, ran.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "line", ["Type=notify", "Restart=always", "StartLimitIntervalSec=0", "WatchdogSec=60"]
)
def test_it_is_watched_and_restarted_for_ever(line: str) -> None:
    assert line in UNIT.read_text(encoding="utf-8").splitlines()
