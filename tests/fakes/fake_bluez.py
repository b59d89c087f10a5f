"""A small bluetoothd that does as it is told: `python -m tests.fakes.fake_bluez`.

It owns org.bluez on the bus that DBUS_SYSTEM_BUS_ADDRESS names. Orders come on standard input and
answers and events go out on standard output, one JSON object a line. An order has its name under
"do" and its arguments beside it; the functions of `Orders` are the list. The answer is
{"done": name, ...} or {"failed": name, "why": text}; events bear their name under "event". It ends
with its input.
"""

import asyncio
import inspect
import json
import sys
from collections import deque
from typing import Any, NoReturn

from dbus_fast import BusType
from dbus_fast.aio import MessageBus

from tests.fakes.bluez_mind import Bluez, Pour
from tests.fakes.bluez_objects import bluez_error
from tests.fakes.bluez_tree import Attribute, Meter
from tests.fakes.strangers import FRESH_EVERY, Strangers


def full_uuid(short: str) -> str:
    return f"0000{short.lower()}-0000-1000-8000-00805f9b34fb" if len(short) == 4 else short.lower()


def say(**fact: Any) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


def tell(event: str, **facts: Any) -> None:
    say(event=event, **facts)


class Orders:
    """Each function is an order; UUIDs may have four digits, octets are in hexadecimal."""

    def __init__(self, bluez: Bluez, strangers: Strangers) -> None:
        self._bluez = bluez
        self._strangers = strangers

    def meter(
        self,
        address: str,
        name: str,
        services: dict[str, dict[str, dict[str, Any]]],
        bonded: bool = False,
        secured: bool = False,
    ) -> None:
        """services: {service: {characteristic: {"flags": [...], "value": hex}}}."""
        table = {
            full_uuid(service): {
                full_uuid(char): Attribute(tuple(a["flags"]), bytes.fromhex(a.get("value", "")))
                for char, a in attributes.items()
            }
            for service, attributes in services.items()
        }
        self._bluez.add(Meter(address, name, table, bonded, secured))

    def pour(
        self,
        address: str,
        characteristic: str,
        frames: list[str],
        after_s: float = 0.0,
        interval_s: float = 0.0,
        hang_up_s: float | None = None,
        eager: bool = False,
    ) -> None:
        """Advertise, and indicate these frames to whoever connects and listens.

        Eager: at once when the bonded link stands, whether anybody listens or not.
        """
        octets = tuple(bytes.fromhex(frame) for frame in frames)
        pour = Pour(full_uuid(characteristic), octets, after_s, interval_s, hang_up_s, eager)
        self._bluez.pour(self._path(address), pour)

    def awake(self, address: str, on: bool) -> None:
        """Advertise, or stop."""
        (self._bluez.awake.add if on else self._bluez.awake.discard)(self._path(address))

    def drop(self, address: str) -> None:
        """Lose the link."""
        self._bluez.drop(self._path(address))

    def strangers(self, per_second: float, fresh_every: int = FRESH_EVERY) -> None:
        """So many advertisements a second; one in *fresh_every* from an address never heard."""
        self._strangers.per_second, self._strangers.fresh_every = per_second, fresh_every

    def fail(self, method: str, name: str, text: str, times: int = 1) -> None:
        """The next *times* calls of *method*, and no others, answer with org.bluez.Error.<name>."""
        self._bluez.faults[method] = deque([bluez_error(name, text)] * times)

    def calls(self, method: str) -> dict[str, list[str]]:
        """What clients called so far, of methods that bear *method* in their names."""
        return {"calls": [each for each in self._bluez.calls if method in each]}

    def stick(self, on: bool) -> None:
        """Services of a connected meter are never resolved."""
        self._bluez.stuck = on

    def passkey(self, value: int | None) -> None:
        """What a meter shows on its display; None: pairing by "Just Works"."""
        self._bluez.passkey = value

    async def ask(self, address: str, method: str, number: int | None = None) -> dict[str, Any]:
        """What the agent answers to a request for this device, which need not exist."""
        device = Meter(address, "", {}).path
        more = () if number is None else (number,)
        signature = "o" if number is None else "ou"
        answer = await self._bluez.ask(method, device, signature, *more)
        return {"accepted": answer is not None, "answer": answer}

    def power(self, on: bool) -> None:
        """The adapter's power, by the hand of somebody else."""
        self._bluez.power(on)

    def deafen(self) -> None:
        """Scanning ends though the scanners believe that it goes on."""
        self._bluez.adapter.update(Discovering=False)

    def remove(self, address: str) -> None:
        """BlueZ drops the device, as it does with temporary ones that were not heard of late."""
        self._bluez.tree.withdraw(self._path(address))

    def vanish(self, address: str) -> None:
        """The meter's attributes disappear, as after a Service Changed that emptied it."""
        path = self._path(address)
        self._bluez.tree.withdraw(path, itself=False)
        self._bluez.ears.gone(path)

    def say(self, address: str, characteristic: str, octets: str) -> dict[str, bool]:
        """One value, here and now, whatever the state of the link."""
        char = self._bluez.tree.characteristic(self._path(address), full_uuid(characteristic))
        return {"heard": self._bluez.ears.say(char, bytes.fromhex(octets))}

    def value(self, address: str, characteristic: str) -> dict[str, str]:
        """The octets that a characteristic holds now."""
        char = self._bluez.tree.characteristic(self._path(address), full_uuid(characteristic))
        return {"value": bytes(char.state["Value"]).hex()}

    def state(self) -> dict[str, Any]:
        return {
            "scanning": self._bluez.scanning,
            "strangers": self._strangers.sent,
            "agents": list(self._bluez.agents.values()),
            "pairable": self._bluez.adapter.state["Pairable"],
        }

    def _path(self, address: str) -> str:
        path = Meter(address, "", {}).path
        if path not in self._bluez.meters:
            raise LookupError(f"no meter {address}")
        return path

    async def carry_out(self, order: dict[str, Any]) -> None:
        name = order.pop("do")
        try:
            answer = getattr(self, name)(**order)
            if inspect.isawaitable(answer):
                answer = await answer
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            say(failed=name, why=str(error))
        else:
            say(done=name, **(answer or {}))


class Ended(Exception):
    """The input has ended: the way out of the task group."""


async def obey(reader: asyncio.StreamReader, orders: Orders) -> NoReturn:
    while line := await reader.readline():
        await orders.carry_out(json.loads(line))
    raise Ended


async def serve() -> None:
    reader = asyncio.StreamReader(limit=1 << 20)  # a pour of thousands of frames is one line
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    try:
        async with asyncio.TaskGroup() as tasks:
            bluez = Bluez(bus, tasks, tell)
            await bluez.start()
            strangers = Strangers(bluez)
            tasks.create_task(strangers.run(), name="strangers")
            orders = Orders(bluez, strangers)
            tell("ready")
            await obey(reader, orders)
    except* Ended:
        bus.disconnect()


if __name__ == "__main__":
    asyncio.run(serve())
