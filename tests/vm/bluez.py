"""The machine's bluetoothd, its adapter, and what they say on the system bus."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import bleak.backends.bluezdbus.manager as manager_module
from bumble.transport import open_transport
from dbus_fast import BusType, DBusError, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from simulator.air import Air

TREE = "HJEMGATE_VM_TREE"  # set in the machine: where its bluetoothd lives
LOG = Path("/out/bluetoothd.log")
ADAPTER, DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
PROPERTIES = "org.freedesktop.DBus.Properties"
STARTED_S = 60.0  # an emulated processor, and not the only one at work
LOOK_S = 0.1


class Bluetoothd:
    """The process. What it knows of bonds outlives it, until `forget_everything`."""

    def __init__(self) -> None:
        self._tree = Path(os.environ[TREE])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        command = [
            "chroot",
            str(self._tree),
            "/usr/libexec/bluetooth/bluetoothd",
            "--nodetach",
            "-d",
        ]
        with LOG.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def end(self) -> None:
        """SIGTERM, and wait. It blocks: for when no adapter is plugged in."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    async def kill(self) -> None:
        """SIGKILL: as a crash."""
        assert self._process is not None
        self._process.kill()
        # Not in the event loop: the adapter's other half lives there, and would not answer.
        await asyncio.to_thread(self._process.wait)

    async def restart(self) -> None:
        """As systemd would, orderly."""
        await asyncio.to_thread(self.end)
        self.start()

    def forget_everything(self) -> None:
        """As on a new computer. Only while no adapter is plugged in."""
        for each in (self._tree / "var/lib/bluetooth").iterdir():
            if each.is_dir():
                shutil.rmtree(each)
            else:
                each.unlink()


class Bus:
    """The system bus, for looking at BlueZ and for disturbing it."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus

    async def call(
        self, path: str, interface: str, member: str, signature: str = "", *body: Any
    ) -> list[Any]:
        """A method of org.bluez. Raises DBusError."""
        answer = await self._bus.call(
            Message(
                destination="org.bluez",
                path=path,
                interface=interface,
                member=member,
                signature=signature,
                body=list(body),
            )
        )
        assert answer is not None
        if answer.message_type is MessageType.ERROR:
            raise DBusError(answer.error_name or "", str(answer.body))
        return answer.body

    async def objects(self, interface: str) -> dict[str, dict[str, Any]]:
        """The properties of every object that has *interface*, by its path."""
        (found,) = await self.call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        return {
            path: {name: each.value for name, each in interfaces[interface].items()}
            for path, interfaces in found.items()
            if interface in interfaces
        }

    async def device(self, address: str) -> dict[str, Any]:
        """What BlueZ says of a meter; {} if it does not know it."""
        found = await self.objects(DEVICE)
        return next((each for each in found.values() if each["Address"] == address), {})

    async def power(self, adapter: str, on: bool) -> None:
        path = f"/org/bluez/{adapter}"
        await self.call(path, PROPERTIES, "Set", "ssv", ADAPTER, "Powered", Variant("b", on))


@asynccontextmanager
async def system_bus() -> AsyncIterator[Bus]:
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    try:
        yield Bus(bus)
    finally:
        bus.disconnect()


@asynccontextmanager
async def plugged_in(air: Air) -> AsyncIterator[str]:
    """An adapter in *air*, powered, as long as this lasts; its name ("hci0")."""
    async with await open_transport("vhci") as transport:
        controller = air.plug(transport)
        try:
            yield await powered()
        finally:
            await let_go_of_the_bus()
            air.unplug(controller)


async def let_go_of_the_bus() -> None:
    """End the connection that bleak keeps for the life of the event loop, and its watcher."""
    manager = manager_module._global_instances.get(asyncio.get_running_loop())
    if manager is not None and manager._bus is not None:
        manager._bus.disconnect()
        assert manager._bus_watcher_task is not None
        await manager._bus_watcher_task


async def powered() -> str:
    """Until bluetoothd runs and its one adapter is powered; the adapter's name."""
    async with asyncio.timeout(STARTED_S), system_bus() as bus:
        while True:
            try:
                for path in await bus.objects(ADAPTER):
                    name = path.rsplit("/", 1)[1]
                    await bus.power(name, True)
                    return name
            except DBusError:  # not there yet, or not ready to be asked
                pass
            await asyncio.sleep(LOOK_S)
