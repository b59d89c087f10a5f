"""bleak's scanner and client over Bumble, for a gateway that lives in a virtual home.

`BACKEND.open(adapter, state_dir)` gives the two classes that bleak takes as `backend=`. *adapter*
is the name of a Bumble transport, such as `unix:/run/home.hci`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar, cast

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import (
    AdvertisementData,
    AdvertisementDataCallback,
    BaseBleakScanner,
)
from bumble import hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device

from simulator.bumble_client import Client, spelled
from simulator.bumble_host import VirtualAdapter, bleak_errors

Report = hci.HCI_LE_Advertising_Report_Event.Report

REMEMBERED = 256  # advertisements that need no second look

SERVICE_LISTS = (
    AdvertisingData.Type.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
)


class Scanner(BaseBleakScanner):
    """An advertisement that was seen before costs one look into a dictionary."""

    adapter: ClassVar[VirtualAdapter]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str,
        **_: object,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"
        self._known: dict[bytes, tuple[bytes, BLEDevice, AdvertisementData]] = {}
        self._device: Device | None = None

    async def start(self) -> None:
        self.seen_devices = {}
        self._known.clear()
        device = await self.adapter.device()
        device.host.on("advertising_report", self._reported)
        self._device = device
        with bleak_errors():
            await device.start_scanning(legacy=True, active=self._active, filter_duplicates=False)

    async def stop(self) -> None:
        device, self._device = self._device, None
        if device is None:
            return
        device.host.remove_listener("advertising_report", self._reported)
        if self.adapter.alive:
            with bleak_errors():
                await device.stop_scanning(legacy=True)

    def _reported(self, report: Report) -> None:
        if report.event_type == hci.HCI_LE_Advertising_Report_Event.EventType.SCAN_RSP:
            return  # the virtual controller repeats the advertisement in it
        key = bytes(report.address)
        known = self._known.get(key)
        if known is None or known[0] != report.data:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
                self.seen_devices.clear()
            known = self._known[key] = self._read(report)
        _, device, data = known
        if self.is_allowed_uuid(data.service_uuids):
            self.call_detection_callbacks(device, data)

    def _read(self, report: Report) -> tuple[bytes, BLEDevice, AdvertisementData]:
        fields = AdvertisingData.from_bytes(report.data)
        address = report.address.to_string(False)
        name = fields.get(AdvertisingData.Type.COMPLETE_LOCAL_NAME)
        services = [
            spelled(each)
            for kind in SERVICE_LISTS
            for each in cast("list[UUID]", fields.get(kind) or [])
        ]
        data = AdvertisementData(name, {}, {}, services, None, report.rssi, ())
        device = self.create_or_update_device(
            address, address, data.local_name, report.address, data
        )
        return report.data, device, data


class _Backend:
    """The entry point `bumble` of the group `hjemgate.radio`."""

    @asynccontextmanager
    async def open(
        self, adapter: str, state_dir: Path
    ) -> AsyncIterator[tuple[type[Scanner], type[Client]]]:
        virtual = VirtualAdapter(adapter, state_dir)

        class OurScanner(Scanner):
            adapter = virtual

        class OurClient(Client):
            adapter = virtual

        try:
            yield OurScanner, OurClient
        finally:
            await virtual.close()


BACKEND = _Backend()
