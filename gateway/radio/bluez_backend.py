"""bleak over BlueZ, and beside it what BlueZ needs: a listener, and an eye on bluetoothd."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak_retry_connector import establish_connection
from dbus_fast import Message

from drivers.api import LinkError
from gateway.guests import BondLost, GuestList
from gateway.link import Counters, Limits, Orphans
from gateway.radio.adapter import Adapter, rebuild
from gateway.radio.backends import Heard, Lost, Told
from gateway.radio.bluez import ADAPTER, DEVICE, OBJECTS, PROPERTIES, Bluez, BluezError, plain
from gateway.radio.healing import Rung
from gateway.radio.held import OF_BLUEZ
from gateway.radio.keyed_client import KeyedClient
from gateway.radio.listener import Listener
from gateway.radio.porter import Porter

log = logging.getLogger(__name__)

DOES_NOT_EXIST = "org.bluez.Error.DoesNotExist"
# Measured with BlueZ 5.82: without any condition it tells of a device once, and then only when its
# signal changes by 8 dB. Heard at a bad moment is then never heard again. This condition
# everybody meets, and then each advertisement is told of.
EVERY_ADVERTISEMENT = {"RSSI": -127}
ATTEMPTS = 2  # a meter is awake for half a minute: a third attempt would come too late
# bleak starts again by itself, without end, when BlueZ says `le-connection-abort-by-local`: the
# link stood, and our own side took it down. Linux does so where encryption fails, that is where the
# meter has lost our key, and then ninety times a minute (measured with Linux 6.12 and BlueZ 5.82).
# By Linux's table of errors a link that is lost to distance ends with others; that was not
# measured, so it takes several in a row, and the next connect that succeeds takes the word back.
BREAKS = 5
# A meter may hang up before BlueZ has seen what it offers, and then BlueZ never answers the connect
# (measured). All others wait for it: one connect at a time.
HUNG_UP_S = 4.0
AGAIN_S = 1.0  # after a bluetoothd that did not answer at once


@dataclass(slots=True)
class _Trial:
    """A connect under way: BlueZ tells of its link by a property, whatever it answers."""

    patience: asyncio.Timeout
    breaks: int = 0

    def stands(self, connected: bool) -> None:
        now = asyncio.get_running_loop().time()
        self.breaks += not connected
        if self.patience.expired():  # it is being wound up
            return
        if connected:
            self.patience.reschedule(None)
        else:
            self.patience.reschedule(now if self.breaks >= BREAKS else now + HUNG_UP_S)


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
        self._path = f"/org/bluez/{adapter}"
        self._counters = counters
        self._options: Any = {"bluez": {"adapter": adapter}}  # among several bleak chooses badly
        self._bluez = Bluez(limits.gatt_s, self._signal, self._owner)
        self.ears = Listener(self._bluez, self._path, counters, orphans)
        self._porter = Porter(self._bluez, self._path, guests)
        self._adapter = Adapter(self._bluez, self._path, limits, restart_file)
        self._news = asyncio.Event()
        self._trials: dict[str, _Trial] = {}  # while connecting, by path
        self._told: Told

    @property
    def present(self) -> bool:
        return self._bluez.present

    # ---- what bleak does ----

    def scanner(self, heard: Heard) -> BleakScanner:
        options: Any = {"bluez": {**self._options["bluez"], "filters": EVERY_ADVERTISEMENT}}
        return BleakScanner(heard, scanning_mode="active", **options)

    def client(self, device: BLEDevice, lost: Lost) -> BleakClient:
        return BleakClient(device, lost, **self._options)

    async def connect(self, device: BLEDevice, lost: Lost) -> BleakClient:
        try:
            async with self._bounded(device.details["path"]):
                return await establish_connection(
                    KeyedClient,
                    device,
                    device.address,
                    lost,
                    max_attempts=ATTEMPTS,
                    use_services_cache=False,  # bleak's own: it outlives the bluetoothd it is from
                    **self._options,
                )
        except BondLost as error:
            if not await self._paired(device):  # there was none to lose
                raise LinkError(str(error)) from error
            raise

    @asynccontextmanager
    async def _bounded(self, path: str) -> AsyncIterator[None]:
        """Give up a connect whose link has gone for good. Raises BondLost and LinkError."""
        rule = f"{OF_BLUEZ},path='{path}',interface='{PROPERTIES}'"
        await self._bluez.watch(rule)
        try:
            async with asyncio.timeout(None) as patience:
                trial = self._trials[path] = _Trial(patience)
                yield
        except TimeoutError as error:
            if not patience.expired():
                raise
            if trial.breaks < BREAKS:
                raise LinkError("the meter hung up before it could be read") from error
            words = f"the link was taken down {BREAKS} times in a row, as where no key fits"
            raise BondLost(words) from error
        finally:
            del self._trials[path]
            await self._bluez.unwatch(rule)

    async def pair(self, client: BleakClient, _device: BLEDevice, _guests: GuestList) -> None:
        await client.pair()

    async def bonded(self, _client: BleakClient, device: BLEDevice) -> bool:
        return await self._paired(device)

    async def _paired(self, device: BLEDevice) -> bool:
        return bool(await self._bluez.get(device.details["path"], DEVICE, "Paired"))

    async def invite(self) -> None:
        await self._porter.settle()

    async def forget(self, address: str, device: BLEDevice | None) -> None:
        named = f"{self._path}/dev_{address.replace(':', '_')}"
        path = named if device is None else device.details["path"]
        try:
            await self._bluez.call(self._path, ADAPTER, "RemoveDevice", "o", path)
        except BluezError as error:
            if error.name != DOES_NOT_EXIST:
                raise

    # ---- what it does not ----

    async def run(self, told: Told) -> None:
        self._told = told
        for rule in (
            f"{OF_BLUEZ},path='{self._path}',interface='{PROPERTIES}'",
            f"{OF_BLUEZ},interface='{OBJECTS}',arg0path='{self._path}'",
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
                self._adapter.is_now(objects.get(self._path, {}).get(ADAPTER, {}))
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
        self._adapter.is_now({})
        self.ears.ended()
        rebuild()
        self._told.gone()

    def _signal(self, message: Message) -> None:
        match message.member, message.path, message.body:
            case "PropertiesChanged", self._path, [str(interface), dict(changed), _]:
                if interface == ADAPTER and self._adapter.changed(plain(changed)):
                    self._news.set()
            case "InterfacesAdded", _, [self._path, dict(added)]:
                if ADAPTER in added:
                    self._news.set()
            case "InterfacesRemoved", _, [self._path, _]:
                self._adapter.is_now({})
            case "PropertiesChanged", path, [str(interface), dict(changed), _]:
                if path in self._trials and "Connected" in changed:
                    self._trials[path].stands(plain(changed)["Connected"])
                self.ears.signal(message)
            case _:
                self.ears.signal(message)

    def ailment(self, scanning: bool) -> tuple[str, Rung] | None:
        return self._adapter.ailment(scanning)

    async def cure(self, rung: Rung) -> None:
        await self._adapter.cure(rung)
