"""Bare script: the gateway's radio alone listens, and says what it holds for each line of input.

    python -m tests.bench.soak_radio STATE_DIR METER

METER is one of ours: it is heard and listened to all the while. An answer is one JSON object:
advertisements `heard`, those of METER (`ours`), `tasks`, living Python `objects`, and the entries
of the `tables` that strangers pass through: bleak's and ours.
"""

import asyncio
import gc
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bleak.backends.bluezdbus.manager import get_global_bluez_manager

from drivers.api import sig_uuid
from gateway.link import Limits
from gateway.radio import Radio

MEASUREMENT = sig_uuid(0x2A35)
LIMITS = Limits(look_s=0.05, silence_s=1.0, pause_s=0.05)  # an hour's looks in a minute or two


async def _answer(radio: Radio, ours: int) -> dict[str, int]:
    manager = await get_global_bluez_manager()
    scan = radio._scan
    gc.collect()
    return {
        "heard": radio.counters.heard,
        "ours": ours,
        "tasks": len(asyncio.all_tasks()),
        "objects": len(gc.get_objects()),
        "tables": len(scan.devices)
        + sum(
            len(table)
            for name, table in vars(manager).items()
            if isinstance(table, dict) and name != "_properties"
        )
        + len(manager._properties)
        + (0 if scan._scanner is None else len(scan._scanner._backend.seen_devices)),
    }


async def main(arguments: Sequence[str]) -> None:
    folder, meter = arguments
    ours = 0
    async with Radio("bluez", "hci0", Path(folder), limits=LIMITS) as radio:
        await radio.hold(meter, [MEASUREMENT])

        async def listen() -> None:
            nonlocal ours
            async for _ in radio.advertisements(lambda address, _: address == meter):
                ours += 1

        async with asyncio.TaskGroup() as group:
            listening = group.create_task(listen(), name="listen")
            print("ready", flush=True)
            while await asyncio.to_thread(sys.stdin.readline):
                print(json.dumps(await _answer(radio, ours)), flush=True)
            listening.cancel()


asyncio.run(main(sys.argv[1:]))
