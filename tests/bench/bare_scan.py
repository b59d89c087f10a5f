"""Bare script: bleak hears advertisements and counts them. Ends with its input."""

import asyncio
import sys

from bleak import BleakScanner


async def main() -> None:
    heard = 0

    def note(_device: object, _advertisement: object) -> None:
        nonlocal heard
        heard += 1

    async with BleakScanner(note, bluez={"adapter": "hci0"}):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
    print(heard, flush=True)


asyncio.run(main())
