"""`hjemgate check`, and what keeps `hjemgate run` from starting: one line each, and 78."""

import json
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.outbox import sessions
from simulator.home import Home
from tests.commands.terminal import hjemgate
from tests.config.test_preflight import write_pair
from tests.control.desk import Desk
from tests.outbox.house import House

GATEWAY = "gw-0123456789"


def configuration(folder: Path, **more: str) -> Path:
    """A file that nothing is wrong with, and *more* lines by section."""
    write_pair(folder / "ca.pem", folder / "ca.key", "Test CA")
    write_pair(folder / "gateway.pem", folder / "gateway.key", GATEWAY)
    sections = {
        "gateway": f'id = "{GATEWAY}"\norganisation = "4321"\nstate_dir = "{folder}/second"\n'
        f'socket = "{folder}/control.sock"\n',
        "broker": f'host = "127.0.0.1"\nca = "{folder}/ca.pem"\n'
        f'certificate = "{folder}/gateway.pem"\nkey = "{folder}/gateway.key"\n',
        "outbox": f'key = "{folder}/outbox.key"\n',
    }
    for section, lines in more.items():
        sections[section] = sections.get(section, "") + lines + "\n"
    path = folder / "gateway.toml"
    path.write_text("".join(f"[{name}]\n{lines}" for name, lines in sections.items()))
    return path


def test_a_good_configuration_is_called_fine_with_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = configuration(tmp_path)
    assert main(["check", "--config", str(path)]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{path}: configuration is fine\n")
    assert "127.0.0.1:8883" in told
    assert main(["check", "--config", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fine"] is True


def test_every_fault_of_a_configuration_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = configuration(tmp_path, gateway="colour = 7", broker='port = "x"')
    assert main(["check", "--config", str(path)]) == 78
    first, second = capsys.readouterr().err.splitlines()
    assert "gateway.colour: unknown key" in first
    assert "broker.port: expected a whole number" in second
    assert main(["check", "--config", str(path), "--json"]) == 78
    found = json.loads(capsys.readouterr().out)
    assert (found["fine"], len(found["problems"])) == (False, 2)


def test_a_missing_certificate_is_named_with_its_cure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = configuration(tmp_path)
    (tmp_path / "gateway.pem").unlink()
    for verb in ("check", "run"):
        assert main([verb, "--config", str(path)]) == 78
        (line,) = capsys.readouterr().err.splitlines()
        assert "broker.certificate" in line
    assert not (tmp_path / "second").exists()


async def test_a_radio_that_is_not_there_forbids_the_start(tmp_path: Path) -> None:
    path = configuration(tmp_path, radio='backend = "semaphore"')
    said = await hjemgate("run", "--config", path)
    assert said.code == 78
    assert "semaphore" in said.err.splitlines()[-1]


async def test_an_outbox_without_its_key_forbids_the_start(tmp_path: Path) -> None:
    path = configuration(tmp_path, radio='backend = "semaphore"')
    await hjemgate("run", "--config", path)
    (tmp_path / "outbox.key").unlink()
    said = await hjemgate("run", "--config", path)
    assert said.code == 78
    assert "outbox.key" in said.err
    assert not (tmp_path / "outbox.key").exists()


async def test_a_second_gateway_does_not_start_beside_the_first(
    desk: Desk, house: House, tmp_path: Path
) -> None:
    path = configuration(tmp_path, radio=f'backend = "bumble"\nadapter = "unix:{tmp_path}/air"')
    settings = path.read_text().replace(f"{tmp_path}/control.sock", str(desk.socket))
    path.write_text(settings.replace(f"{tmp_path}/second", str(house.state_dir)))
    await house.store(sessions.begin, await house.meter(), house.now())
    async with Home(tmp_path / "air"):
        said = await hjemgate("run", "--config", path)
    assert said.code == 78
    assert "another gateway works with this outbox" in said.err.splitlines()[-1]
    assert (await desk.ask("status"))["ok"] is True
    assert (None,) in await house.rows("SELECT outcome FROM sessions")  # goes on undisturbed
