"""An agent that lets BlueZ pair by "Just Works": without any, it pairs with nobody at all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dbus_fast import BusType, DBusError, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusObjectPath, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method

PATH = "/hjemgate/agent"
CAPABILITY = "NoInputNoOutput"
REJECTED = "org.bluez.Error.Rejected"


class Agent(ServiceInterface):
    """org.bluez.Agent1 for one *device* (its object path); everybody else is turned away."""

    def __init__(self, device: str) -> None:
        super().__init__("org.bluez.Agent1")
        self._device = device

    @dbus_method("RequestAuthorization")
    def authorize(self, device: DBusObjectPath) -> None:
        self._only_ours(device)

    @dbus_method("AuthorizeService")
    def authorize_service(self, device: DBusObjectPath, _uuid: DBusStr) -> None:
        self._only_ours(device)

    @dbus_method("RequestConfirmation")
    def confirm(self, _device: DBusObjectPath, _passkey: DBusUInt32) -> None:
        raise DBusError(REJECTED, "nobody is here to compare numbers")

    @dbus_method("RequestPasskey")
    def passkey(self, _device: DBusObjectPath) -> DBusUInt32:
        raise DBusError(REJECTED, "nobody is here to type a passkey")

    @dbus_method("RequestPinCode")
    def pin_code(self, _device: DBusObjectPath) -> DBusStr:
        raise DBusError(REJECTED, "nobody is here to type a code")

    @dbus_method("Cancel")
    def cancel(self) -> None:
        """BlueZ gave up; its Pair says so."""

    @dbus_method("Release")
    def release(self) -> None:
        """BlueZ has let go of us."""

    def _only_ours(self, device: str) -> None:
        if device != self._device:
            raise DBusError(REJECTED, "not the meter that is being paired")


@asynccontextmanager
async def just_works(device: str) -> AsyncIterator[None]:
    """The default agent of the system, for as long as one pairing takes; only for *device*.

    The default, because bleak asks for the pairing on a connection of its own.
    """
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    try:
        bus.export(PATH, Agent(device))
        await _manager(bus, "RegisterAgent", "os", PATH, CAPABILITY)
        await _manager(bus, "RequestDefaultAgent", "o", PATH)
        yield
        await _manager(bus, "UnregisterAgent", "o", PATH)
    finally:
        bus.disconnect()  # BlueZ forgets the agent of a connection that has gone


async def _manager(bus: MessageBus, member: str, signature: str, *body: str) -> None:
    """Raises DBusError."""
    answer = await bus.call(
        Message(
            destination="org.bluez",
            path="/org/bluez",
            interface="org.bluez.AgentManager1",
            member=member,
            signature=signature,
            body=list(body),
        )
    )
    if answer is not None and answer.message_type is MessageType.ERROR:
        raise DBusError(answer.error_name or REJECTED, str(answer.body))
