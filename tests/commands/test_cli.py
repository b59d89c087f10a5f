"""What is true of every verb: help, wrong usage, what is not there, and quiet endings."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli import ADDED, VERBS, main
from tests.commands.terminal import COMMAND, finish, hjemgate
from tests.control.desk import Desk

HEAVY = ("pydantic", "bleak", "cryptography", "asyncio", "fhir", "aiomqtt", "sqlite3")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: hjemgate {verb} ")
    assert f"example: hjemgate {verb}" in told or f"-- hjemgate {verb}" in told


@pytest.mark.parametrize(
    "words",
    [("devices", "add"), ("devices", "forget"), ("held", "release"), ("held", "bind")],
)
def test_verbs_below_verbs_explain_themselves(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: hjemgate {' '.join(words)} ")


def test_alone_it_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    told = capsys.readouterr().out
    assert all(f"    {verb}" in told for verb in (*VERBS, *ADDED))


@pytest.mark.parametrize(
    "words",
    [
        ["mesaure"],
        ["--colour"],
        ["status", "--colour"],
        ["decode", "2A35"],
        ["devices", "add", "--driver", "sig_blood_pressure"],
        ["devices", "add", "--driver", "x", "--address", "y", "--patient", "z", "--ignore"],
        ["held", "bind", "r1"],
        ["parked", "bind", "f1", "--patient", "x"],
        ["status", "--config", "a", "--socket", "b"],
    ],
)
def test_wrong_usage_is_64(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 64
    assert capsys.readouterr().err.startswith("usage: hjemgate")


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert main(["--version"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert main(["version", "--json"]) == 0
    assert f"hjemgate {json.loads(capsys.readouterr().out)['version']}" == first


def test_a_verb_that_is_not_installed_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "entry_points", lambda **_: ())  # as where there is no checkout
    assert main(["demo"]) == 69
    assert len(capsys.readouterr().err.splitlines()) == 1


async def test_decode_loads_nothing_heavy() -> None:
    program = (
        "import sys; from gateway.cli import main; main(['decode', 'SFLOAT', '1400']);"
        f" print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said = await finish(process)
    assert said.out.splitlines()[-1] == "[]"


async def test_ctrl_c_ends_it_quietly_with_130(desk: Desk) -> None:
    # A shell without a terminal starts what it puts in the background deaf to Ctrl-C.
    words = (COMMAND, "watch", "--socket", str(desk.socket), "--after", "0")
    process = await asyncio.create_subprocess_exec(
        *("env", "--default-signal=INT", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await desk.house.meter()
    await process.stdout.readline()
    process.send_signal(signal.SIGINT)
    said = await finish(process)
    assert (said.code, said.err) == (130, "")


async def test_a_reader_that_has_had_enough_is_no_trouble() -> None:
    line = f"{COMMAND} | true; echo ${{PIPESTATUS[0]}}"
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", line, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said = await finish(process)
    assert (said.out.strip(), said.err) == ("0", "")


@pytest.mark.parametrize(
    "words", [("status",), ("devices",), ("held",), ("parked",), ("watch",), ("held", "list")]
)
async def test_without_a_gateway_it_says_how_to_start_one(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    said = await hjemgate(*words, "--socket", tmp_path / "control.sock")
    assert said.code == 69
    assert "systemctl start hjemgate" in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file"),
        ("[gateway", "not TOML"),
        ("[gateway]\nsocket = 7\n", "gateway.socket: expected text"),
        ("gateway = 7\n", "gateway.socket: expected text"),
    ],
)
async def test_a_configuration_that_names_no_socket_is_78(
    text: str | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "gateway.toml"
    if text is not None:
        path.write_text(text)
    said = await hjemgate("status", "--config", path)
    assert said.code == 78
    assert words in said.err


async def test_the_socket_is_found_through_the_configuration(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(f'[gateway]\nsocket = "{desk.socket}"\n')
    assert (await hjemgate("devices", "--config", path)).code == 0
    assert (await hjemgate("devices", "--config", path, "list")).code == 0
