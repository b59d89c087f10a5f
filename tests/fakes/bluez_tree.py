"""The tree of objects under /org/bluez: what is exported, and what a meter looks like on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbus_fast.aio import MessageBus

from tests.fakes.bluez_objects import (
    ADAPTER_PATH,
    Characteristic,
    Device,
    Exported,
    Mind,
    Service,
)

HANDLES_EACH = 3  # declaration, value, CCCD


@dataclass(frozen=True, slots=True)
class Attribute:
    flags: tuple[str, ...]
    value: bytes


@dataclass(frozen=True, slots=True)
class Meter:
    """A virtual meter; UUIDs in full."""

    address: str
    name: str
    services: Mapping[str, Mapping[str, Attribute]]
    bonded: bool = False  # from the start, as after an earlier life of bluetoothd
    secured: bool = False  # nothing is read, written or indicated without a bond

    @property
    def path(self) -> str:
        return f"{ADAPTER_PATH}/dev_{self.address.replace(':', '_')}"


class Tree:
    def __init__(self, bus: MessageBus, mind: Mind) -> None:
        self._bus = bus
        self._mind = mind
        self._objects: dict[str, Exported] = {}

    def export(self, path: str, kind: type[Exported], **state: Any) -> Exported:
        exported = self._objects[path] = kind(self._mind, path, **state)
        self._bus.export(path, exported)
        return exported

    def withdraw(self, path: str, itself: bool = True) -> None:
        inside = [p for p in self._objects if p.startswith(path + "/")]
        for each in sorted(inside, reverse=True) + ([path] if itself else []):
            if self._objects.pop(each, None) is not None:
                self._bus.unexport(each)

    def has_attributes(self, path: str) -> bool:
        return any(each.startswith(path + "/") for each in self._objects)

    def device(self, path: str) -> Device | None:
        found = self._objects.get(path)
        return found if isinstance(found, Device) else None

    def characteristic(self, path: str, uuid: str) -> Characteristic:
        """Raises LookupError."""
        for each, exported in self._objects.items():
            if (
                each.startswith(path + "/")
                and isinstance(exported, Characteristic)
                and exported.state["UUID"] == uuid
            ):
                return exported
        raise LookupError(f"no characteristic {uuid} under {path}")

    def show_device(self, path: str, address: str, name: str, **state: Any) -> Device:
        facts: dict[str, Any] = {
            "Adapter": ADAPTER_PATH,
            "Address": address,
            "AddressType": "random",
            "Alias": name,
            "Name": name,
            "UUIDs": [],
            "RSSI": -60,
            "ManufacturerData": {},
            "ServiceData": {},
        }
        flags = ("Paired", "Bonded", "Connected", "ServicesResolved", "Blocked", "LegacyPairing")
        facts |= dict.fromkeys((*flags, "Trusted"), False)
        exported = self.export(path, Device, **(facts | state))
        assert isinstance(exported, Device)
        return exported

    def show_meter(self, meter: Meter) -> None:
        self.show_device(
            meter.path,
            meter.address,
            meter.name,
            UUIDs=list(meter.services),
            Paired=meter.bonded,
            Bonded=meter.bonded,
        )

    def show_attributes(self, meter: Meter) -> None:
        handle = 1
        for uuid, attributes in meter.services.items():
            service = f"{meter.path}/service{handle:04x}"
            self.export(service, Service, UUID=uuid, Device=meter.path, Primary=True)
            for char_uuid, attribute in attributes.items():
                handle += HANDLES_EACH
                self.export(
                    f"{service}/char{handle:04x}",
                    Characteristic,
                    UUID=char_uuid,
                    Service=service,
                    Flags=list(attribute.flags),
                    Value=attribute.value,
                    Notifying=False,
                    MTU=247,
                )
            handle += HANDLES_EACH
