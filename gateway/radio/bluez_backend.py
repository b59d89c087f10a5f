"""bleak over BlueZ, and beside it what BlueZ needs: a listener, and an eye on bluetoothd."""

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.backends.bluezdbus import manager
from bleak.backends.device import BLEDevice
from bleak_retry_connector import establish_connection
from dbus_fast import Message, Variant

from drivers.api import LinkError
from gateway.guests import GuestList
from gateway.link import Counters, Limits, Orphans
from gateway.radio.backends import Heard, Lost, Told
from gateway.radio.bluez import ADAPTER, DEVICE, OBJECTS, PROPERTIES, Bluez, BluezError, plain
from gateway.radio.healing import Rung
from gateway.radio.held import OF_BLUEZ
from gateway.radio.listener import Listener
from gateway.radio.porter import Porter

log = logging.getLogger(__name__)

DOES_NOT_EXIST = "org.bluez.Error.DoesNotExist"
ATTEMPTS = 2  # a meter is awake for half a minute: a third attempt would come too late
AGAIN_S = 1.0  # after a bluetoothd that did not answer at once
DARK_S = 1.0  # between power off and on again, for the controller to notice


class BlueZ:
    highest = Rung.RESTART

    def __init__(
        self,
        adapter: str,
        limits: Limits,
        counters: Counters,
        orphans: Orphans,
        guests: GuestList,
        restart_file: Path | None,
    ) -> None:
        self._adapter = f"/org/bluez/{adapter}"
        self._limits, self._counters = limits, counters
        self._restart_file = restart_file
        self._options: Any = {"bluez": {"adapter": adapter}}  # among several bleak chooses badly
        self._bluez = Bluez(limits.gatt_s, self._signal, self._owner)
        self.ears = Listener(self._bluez, self._adapter, counters, orphans)
        self._porter = Porter(self._bluez, self._adapter, guests)
        self._news = asyncio.Event()
        self._facts: dict[str, Any] = {}  # of the adapter; empty: there is none
        self._wrong: dict[str, float] = {}  # what is wrong, and since when
        self._told: Told

    @property
    def present(self) -> bool:
        return self._bluez.present

    # ---- what bleak does ----

    def scanner(self, heard: Heard) -> BleakScanner:
        return BleakScanner(heard, scanning_mode="active", **self._options)

    def client(self, device: BLEDevice, lost: Lost) -> BleakClient:
        return BleakClient(device, lost, **self._options)

    async def connect(self, device: BLEDevice, lost: Lost) -> BleakClient:
        return await establish_connection(
            BleakClient,
            device,
            device.address,
            lost,
            max_attempts=ATTEMPTS,
            use_services_cache=False,  # bleak's own: it outlives the bluetoothd that it came from
            **self._options,
        )

    async def pair(self, client: BleakClient, _device: BLEDevice, _guests: GuestList) -> None:
        await client.pair()

    async def bonded(self, _client: BleakClient, device: BLEDevice) -> bool:
        return bool(await self._bluez.get(device.details["path"], DEVICE, "Paired"))

    async def invite(self) -> None:
        await self._porter.settle()

    async def forget(self, address: str, device: BLEDevice | None) -> None:
        named = f"{self._adapter}/dev_{address.replace(':', '_')}"
        path = named if device is None else device.details["path"]
        try:
            await self._bluez.call(self._adapter, ADAPTER, "RemoveDevice", "o", path)
        except BluezError as error:
            if error.name != DOES_NOT_EXIST:
                raise

    # ---- what it does not ----

    async def run(self, told: Told) -> None:
        self._told = told
        for rule in (
            f"{OF_BLUEZ},path='{self._adapter}',interface='{PROPERTIES}'",
            f"{OF_BLUEZ},interface='{OBJECTS}',arg0path='{self._adapter}'",
        ):
            await self._bluez.watch(rule)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._bluez.run(), name="system bus")
            group.create_task(self.ears.run(), name="listener")
            group.create_task(self._porter.run(), name="pairing agent")
            group.create_task(self._keep_up(), name="bluetoothd")

    async def _keep_up(self) -> None:
        """Learn what there is, whenever bluetoothd or the adapter is new."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                if not self.present:
                    await self._bluez.wake()
                    continue
                objects = await self._bluez.objects()
                self._facts = objects.get(self._adapter, {}).get(ADAPTER, {})
                self._porter.began()
                await self.ears.began(objects)
                self._told.back()
            except LinkError as error:
                log.debug("bluetoothd: %s", error)
                await asyncio.sleep(AGAIN_S)
                if self.present:
                    self._news.set()

    def _owner(self, present: bool) -> None:
        self._news.set()
        if present:
            log.info("bluetoothd is there")
            return
        log.warning("bluetoothd has gone")
        self._counters.owner_losses += 1
        self._facts = {}
        self.ears.ended()
        rebuild()
        self._told.gone()

    def _signal(self, message: Message) -> None:
        match message.member, message.path, message.body:
            case "PropertiesChanged", self._adapter, [str(interface), dict(changed), _]:
                if interface == ADAPTER:
                    self._changed(plain(changed))
            case "InterfacesAdded", _, [self._adapter, dict(added)]:
                if ADAPTER in added:
                    self._news.set()
            case "InterfacesRemoved", _, [self._adapter, _]:
                self._facts = {}
            case _:
                self.ears.signal(message)

    def _changed(self, facts: dict[str, Any]) -> None:
        if facts.get("Powered") and not self._facts.get("Powered"):
            self._news.set()  # subscriptions from before may be dead
        self._facts |= facts

    # ---- what may be wrong, and what can be done ----

    def ailment(self, scanning: bool) -> tuple[str, Rung] | None:
        """Of what has been wrong for long enough, the worst."""
        now = time.monotonic()
        found = self._symptoms(scanning)
        self._wrong = {what: self._wrong.get(what, now) for what, _, _ in found}
        for what, patience_s, rung in found:
            if now - self._wrong[what] >= patience_s:
                return what, rung
        return None

    def _symptoms(self, scanning: bool) -> list[tuple[str, float, Rung]]:
        if not self.present:
            return [("bluetoothd is gone", self._limits.gone_s, Rung.RESTART)]
        if self._facts.get("Powered") is False:
            return [("the adapter has no power", self._limits.dark_s, Rung.POWER_CYCLE)]
        if scanning and self._facts.get("Discovering") is False:
            return [("the adapter has stopped scanning", self._limits.deaf_s, Rung.RESCAN)]
        return []

    async def cure(self, rung: Rung) -> None:
        match rung:
            case Rung.REBUILD:
                rebuild()
            case Rung.POWER_CYCLE:
                await self._power_cycle()
            case Rung.RESTART:
                self._ask_for_restart()

    async def _power_cycle(self) -> None:
        await self._bluez.put(self._adapter, ADAPTER, "Powered", Variant("b", False))
        await asyncio.sleep(DARK_S)
        await self._bluez.put(self._adapter, ADAPTER, "Powered", Variant("b", True))

    def _ask_for_restart(self) -> None:
        """By a file that systemd waits for: packaging/hjemgate-bluetooth-restart.path."""
        if self._restart_file is None:
            raise LinkError("nobody was named who would restart bluetoothd")
        if self._restart_file.exists():
            raise LinkError(
                f"{self._restart_file} is there already and nobody has acted on it: is"
                " hjemgate-bluetooth-restart.path enabled?"
            )
        try:
            self._restart_file.touch()
        except OSError as error:
            raise LinkError(f"{self._restart_file}: {error.strerror}") from error


def rebuild() -> None:
    """Make bleak begin anew with BlueZ. Its scanners from before must not be touched any more.

    bleak does not notice that bluetoothd has gone: what it remembers of devices, links among them,
    stays as it was. It does notice the loss of its own connection to the bus, and then tells its
    clients; so that connection is cut, and what it belonged to is replaced (bleak 3.1,
    bluezdbus/manager.py).
    """
    known = manager._global_instances.pop(asyncio.get_running_loop(), None)  # noqa: SLF001  # as above
    if known is not None and known._bus is not None:  # noqa: SLF001  # as above
        known._bus.disconnect()  # noqa: SLF001  # as above
