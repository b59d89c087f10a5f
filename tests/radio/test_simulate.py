"""The virtual home as a process of its own, and a gateway's radio in ours."""

import asyncio
import signal
import sys
from pathlib import Path

from gateway.radio import Radio
from tests.radio.home import BLOOD_PRESSURE, LONG_S, take

RUN = """
import argparse, sys
from simulator.home import COMMAND
parser = argparse.ArgumentParser()
COMMAND.add_arguments(parser)
sys.exit(COMMAND.run(parser.parse_args()))
"""


async def test_hjemgate_simulate_is_read_from_another_process(tmp_path: Path) -> None:
    socket = tmp_path / "hci"
    arguments = ["--socket", str(socket), "--every", "3600"]
    home = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(LONG_S), Radio("bumble", f"unix:{socket}", tmp_path) as radio:
            said = await read_cuff(home, radio)
    finally:
        home.send_signal(signal.SIGTERM)
        rest, _ = await home.communicate()
    assert f'adapter = "unix:{socket}"' in said
    assert "--driver sig_glucose" in said
    assert home.returncode == 0
    assert rest == b""


async def read_cuff(home: asyncio.subprocess.Process, radio: Radio) -> str:
    """What the home said until its first measurement, once that has been collected."""
    assert home.stdout is not None
    said = (await home.stdout.readuntil(b"BP-SIM    systolic")).decode()
    await home.stdout.readline()
    async for advertisement in radio.advertisements():
        async with radio.connect(advertisement.address) as link:
            await radio.expect({link.address: None})
            await link.bond()
            await link.subscribe(BLOOD_PRESSURE)
            assert len(await take(link, 1)) == 1
        break
    return said
