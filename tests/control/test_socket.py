"""The socket itself: whose it is, who may ask, and what hostile lines get."""

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.control_client import Unreachable, request
from gateway.control_socket import Occupied, listening, may_ask, peer
from tests.control.desk import WAIT_S, Desk, served
from tests.outbox.house import House

NOBODY = 65534


async def test_the_socket_is_for_its_user_alone_and_gone_afterwards(
    house: House, tmp_path: Path
) -> None:
    async with served(Desk(house, tmp_path)) as desk:
        assert stat.S_IMODE(desk.socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(desk.socket.parent.stat().st_mode) == 0o700
    assert not desk.socket.exists()


async def test_what_a_killed_process_left_behind_is_replaced(house: House, tmp_path: Path) -> None:
    desk = Desk(house, tmp_path)
    desk.socket.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(desk.socket))
    async with served(desk):
        assert (await desk.ask("status"))["ok"] is True


async def test_a_second_gateway_is_told_to_stop_the_first(desk: Desk) -> None:
    with pytest.raises(Occupied, match="another hjemgate runs already"), listening(desk.socket):
        pass
    assert (await desk.ask("status"))["ok"] is True


def test_a_file_in_the_way_is_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / "control.sock").write_text("mine")
    with (
        pytest.raises(Occupied, match="this is no socket"),
        listening(tmp_path / "control.sock"),
    ):
        pass
    assert (tmp_path / "control.sock").read_text() == "mine"


def test_a_path_that_no_socket_can_have_is_refused_in_words(tmp_path: Path) -> None:
    with (
        pytest.raises(Occupied, match="name another place"),
        listening(tmp_path / ("long" * 40)),
    ):
        pass


def test_only_root_and_we_ourselves_may_ask() -> None:
    assert may_ask(0)
    assert may_ask(os.geteuid())
    assert not may_ask(os.geteuid() + 1)


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert peer(one) == os.geteuid()


ASK_AS = """
import os, socket, sys
os.setuid(int(sys.argv[1]))
end = socket.socket(socket.AF_UNIX)
end.connect("control.sock")
end.sendall(b'{"do": "status"}\\n')
sys.stdout.write(end.makefile().readline())
"""


async def test_another_user_is_refused_even_with_the_file_laid_open(desk: Desk) -> None:
    """As root this asks as nobody; as anybody else as ourselves, who are served."""
    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    desk.socket.chmod(0o666)
    desk.socket.parent.chmod(0o755)
    told = await asyncio.to_thread(_ask_as, user, desk.socket.parent)
    assert told["ok"] is (user != NOBODY)


def _ask_as(user: int, folder: Path) -> dict[str, object]:
    ended = subprocess.run(
        [sys.executable, "-I", "-c", ASK_AS, str(user)],
        capture_output=True,
        check=True,
        cwd=folder,  # entered before the user changes: the folders above are ours alone
    )
    answer: dict[str, object] = json.loads(ended.stdout)
    return answer


HOSTILE = [
    b"\n",
    b"hello\n",
    b"[]\n",
    b'"status"\n',
    b"{}\n",
    b'{"do": 1}\n',
    b'{"do": "reboot"}\n',
    b'{"do": "status"\n',
    b'{"do": "\xff"}\n',
    b"[" * 8000 + b"\n",
    b"1" * 8000 + b"\n",
    b'{"do": "watch", "after": -1}\n',
    b'{"do": "watch", "after": 1e400}\n',
    b'{"do": "release", "row": "r0"}\n',
    b'{"do": "release", "row": "r99999999999999999999"}\n',
    b'{"do": "release", "row": {}}\n',
    b'{"do": "devices", "patients": "yes"}\n',
    b'{"do": "devices forget", "address": "C0:11:22:33:44:5"}\n',
    b'{"do": "devices forget", "address": ["C0:11:22:33:44:55"]}\n',
]


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: repr(line[:40]))
async def test_a_hostile_line_is_answered_in_words_and_the_next_is_heard(
    desk: Desk, line: bytes
) -> None:
    reader, writer = await asyncio.open_unix_connection(str(desk.socket))
    writer.write(line + b'{"do": "status"}\n')
    refused, served = [json.loads(await reader.readline()) for _ in range(2)]
    writer.close()
    await writer.wait_closed()
    assert (refused["ok"], refused["exit"], served["ok"]) == (False, 64, True)
    assert refused["error"]


async def test_a_line_without_end_is_refused_and_hung_up_on(desk: Desk) -> None:
    reader, writer = await asyncio.open_unix_connection(str(desk.socket))
    writer.write(b"x" * 20_000)
    refused = json.loads(await reader.readline())
    assert refused["ok"] is False
    assert await _rest(reader) == b""
    writer.transport.abort()
    assert (await desk.ask("status"))["ok"] is True


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:  # what we sent beyond the limit was never read
        return b""


async def test_a_client_that_leaves_in_the_middle_harms_nobody(desk: Desk) -> None:
    _, writer = await asyncio.open_unix_connection(str(desk.socket))
    writer.write(b'{"do": "sta')
    writer.transport.abort()
    assert (await desk.ask("status"))["ok"] is True


async def test_without_a_daemon_the_client_says_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"not running.*systemctl start hjemgate"):
        await request(tmp_path / "control.sock", "status")


async def test_a_daemon_that_hangs_up_is_told_from_one_that_answers(tmp_path: Path) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    path = tmp_path / "control.sock"
    async with asyncio.timeout(WAIT_S), await asyncio.start_unix_server(hang_up, path):
        with pytest.raises(Unreachable, match="ended before it answered"):
            await request(path, "status")
