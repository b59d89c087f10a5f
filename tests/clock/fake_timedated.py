"""A small systemd-timedated: `org.freedesktop.timedate1` with the property that is asked for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dbus_fast import PropertyAccess
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool
from dbus_fast.service import ServiceInterface, dbus_property


class Timedated(ServiceInterface):
    """Says *synchronised*. `asked` counts."""

    def __init__(self) -> None:
        super().__init__("org.freedesktop.timedate1")
        self.synchronised = False
        self.asked = 0

    @dbus_property(PropertyAccess.READ, name="NTPSynchronized")
    def ntp_synchronised(self) -> DBusBool:
        self.asked += 1
        return self.synchronised


@asynccontextmanager
async def timedated(address: str) -> AsyncIterator[Timedated]:
    bus = await MessageBus(bus_address=address).connect()
    service = Timedated()
    bus.export("/org/freedesktop/timedate1", service)
    await bus.request_name("org.freedesktop.timedate1")
    service.asked = 0  # to be exported it is looked at as well
    yield service
    bus.disconnect()
    await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast's own
