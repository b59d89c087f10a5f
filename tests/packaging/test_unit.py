"""The sample units: systemd understands every line; each is shut in as tightly as promised."""

import subprocess
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"
UNITS = ("hjemgate.service", "hjemgate-receiver.service")
EXPOSURE_TENTHS = 15  # of systemd's scale of 0 to 10: what the design allows


@pytest.fixture(params=UNITS)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The unit with a program that exists here: systemd looks for it."""
    name: str = request.param
    original, copy = PACKAGING / name, tmp_path / name
    lines = [
        "ExecStart=/bin/true" if line.startswith("ExecStart=") else line
        for line in original.read_text(encoding="utf-8").splitlines()
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
def test_it_is_watched_and_restarted_for_ever(unit: Path, line: str) -> None:
    assert line in unit.read_text(encoding="utf-8").splitlines()


def test_the_keys_of_a_receiver_are_credentials_and_no_option_names_their_files() -> None:
    lines = (PACKAGING / UNITS[1]).read_text(encoding="utf-8").splitlines()
    assert "LoadCredential=receiver.key:/etc/hjemgate-receiver/receiver.key" in lines
    (start,) = (line for line in lines if line.startswith("ExecStart="))
    assert "--key %d/receiver.key" in start
