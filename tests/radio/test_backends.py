"""Which radio is taken, and what is loaded for it."""

import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from gateway.radio import Radio, RadioError


def loaded_by(statement: str) -> set[str]:
    """The modules that are there after *statement* in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_radio_loads_neither_a_virtual_nor_a_real_one() -> None:
    modules = loaded_by("import gateway.radio")
    assert "bleak" in modules
    assert not {"bumble", "simulator", "dbus_fast", "bleak_retry_connector"} & modules


async def test_an_unknown_radio_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(RadioError, match=r'"nosuch".*write "bluez"'):
        async with Radio("nosuch", "hci0", tmp_path):
            pass


async def test_a_radio_whose_package_is_missing_is_refused_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = EntryPoint("broken", "no_such_module:BACKEND", "hjemgate.radio")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: EntryPoints([broken]))
    with pytest.raises(RadioError, match=r"No module named.*simulator extra"):
        async with Radio("broken", "hci0", tmp_path):
            pass


async def test_an_adapter_that_names_no_socket_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(RadioError, match=r'radio\.adapter: "hci0" .*write "unix:"'):
        async with Radio("bumble", "hci0", tmp_path):
            pass
