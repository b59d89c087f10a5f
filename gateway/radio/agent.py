"""The pairing agent (org.bluez.Agent1): what it answers when BlueZ asks on a meter's behalf."""

import logging
import re

from dbus_fast import DBusError
from dbus_fast.annotations import DBusObjectPath, DBusStr, DBusUInt16, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method

from gateway.guests import GuestList

log = logging.getLogger(__name__)

REJECTED = "org.bluez.Error.Rejected"

_DEVICE = re.compile(r"/dev_((?:[0-9A-F]{2}_){5}[0-9A-F]{2})$")


class Agent(ServiceInterface):
    """Answers for those on the list; everybody else is turned away."""

    def __init__(self, guests: GuestList) -> None:
        super().__init__("org.bluez.Agent1")
        self._guests = guests

    @dbus_method("RequestAuthorization")
    def authorize(self, device: DBusObjectPath) -> None:
        self._guests.meets(self._expected(device))

    @dbus_method("AuthorizeService")
    def authorize_service(self, device: DBusObjectPath, _uuid: DBusStr) -> None:
        self._expected(device)

    @dbus_method("RequestConfirmation")
    async def confirm(self, device: DBusObjectPath, passkey: DBusUInt32) -> None:
        if not await self._guests.same(self._expected(device), passkey):
            raise DBusError(REJECTED, "the meter shows another number")

    @dbus_method("RequestPasskey")
    async def passkey(self, device: DBusObjectPath) -> DBusUInt32:
        number = await self._guests.passkey(self._expected(device))
        if number is None:
            raise DBusError(REJECTED, "nobody typed a passkey")
        return number

    @dbus_method("RequestPinCode")
    def pin_code(self, _device: DBusObjectPath) -> DBusStr:
        raise DBusError(REJECTED, "a code of the time before Bluetooth LE")

    @dbus_method("DisplayPasskey")
    def display(self, _device: DBusObjectPath, _passkey: DBusUInt32, _entered: DBusUInt16) -> None:
        raise DBusError(REJECTED, "no meter has keys to type a passkey with")

    @dbus_method("Cancel")
    def cancel(self) -> None:
        """BlueZ gave up; its Pair says so."""

    @dbus_method("Release")
    def release(self) -> None:
        """BlueZ has let go of us."""

    def _expected(self, device: str) -> str:
        found = _DEVICE.search(device)
        address = found[1].replace("_", ":") if found else ""
        if not self._guests.admits(address):
            log.warning("a pairing request outside any pairing window was refused")
            raise DBusError(REJECTED, "no pairing window is open for this device")
        return address
