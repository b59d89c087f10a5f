"""The objects of org.bluez that bleak looks at, as D-Bus interfaces without a mind of their own.

Names, properties and errors as in BlueZ's documentation (org.bluez.Adapter, .Device,
.GattCharacteristic, .AgentManager). What a call does is decided by the `Mind` behind them.
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Protocol, cast

from dbus_fast import DBusError, PropertyAccess
from dbus_fast.annotations import DBusBytes, DBusDict, DBusObjectPath, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

ADAPTER_PATH = "/org/bluez/hci0"


def bluez_error(name: str, text: str) -> DBusError:
    return DBusError(f"org.bluez.Error.{name}", text)


class Mind(Protocol):
    """What the objects ask. Each may raise DBusError; sync ones may ask `sender`."""

    sender: str

    def discover(self, on: bool) -> None: ...
    def remove(self, path: str) -> None: ...
    async def connect(self, device: "Device") -> None: ...
    def disconnect(self, device: "Device") -> None: ...
    async def pair(self, device: "Device") -> None: ...
    def read(self, char: "Characteristic") -> bytes: ...
    def write(self, char: "Characteristic", octets: bytes) -> None: ...
    def notify(self, char: "Characteristic", on: bool) -> None: ...
    def agent(self, path: str, capability: str) -> None: ...
    def default_agent(self, path: str) -> None: ...
    def power(self, on: bool) -> None: ...


class Exported(ServiceInterface):
    """An interface whose properties live in a dict."""

    INTERFACE: ClassVar[str]

    def __init__(self, mind: Mind, path: str, **state: Any) -> None:
        super().__init__(self.INTERFACE)
        self.mind = mind
        self.path = path
        self.state = state

    def update(self, **state: Any) -> None:
        """Change properties and say so on the bus, also those that stay as they were."""
        self.state.update(state)
        self.emit_properties_changed(state)


def _property(name: str, signature: str) -> Any:
    def getter(self: Exported) -> Any:
        return self.state[name]

    getter.__name__ = name  # dbus-fast looks the property up by it
    getter.__annotations__["return"] = Annotated[Any, DBusSignature(signature)]
    return dbus_property(PropertyAccess.READ, name=name)(getter)


def _with_properties(interface: str, **signatures: str) -> type[Exported]:
    members = {name: _property(name, signature) for name, signature in signatures.items()}
    return type(interface.rpartition(".")[2], (Exported,), {"INTERFACE": interface, **members})


def _method(name: str) -> Callable[[Callable[..., Any]], Any]:
    return cast("Callable[[Callable[..., Any]], Any]", dbus_method(name=name))


_Adapter: Any = _with_properties("org.bluez.Adapter1", Address="s", Discovering="b", Roles="as")
_Device: Any = _with_properties(
    "org.bluez.Device1",
    Adapter="o",
    Address="s",
    AddressType="s",
    Alias="s",
    Name="s",
    UUIDs="as",
    Paired="b",
    Bonded="b",
    Connected="b",
    ServicesResolved="b",
    Blocked="b",
    LegacyPairing="b",
    RSSI="n",
    ManufacturerData="a{qv}",
    ServiceData="a{sv}",
)
Service: Any = _with_properties("org.bluez.GattService1", UUID="s", Device="o", Primary="b")
_Characteristic: Any = _with_properties(
    "org.bluez.GattCharacteristic1",
    UUID="s",
    Service="o",
    Flags="as",
    Value="ay",
    Notifying="b",
    MTU="q",
)


class Adapter(_Adapter):  # type: ignore[misc]  # its properties come from a table
    @dbus_property(name="Powered")
    def powered(self) -> Annotated[bool, DBusSignature("b")]:
        return bool(self.state["Powered"])

    @powered.setter
    def powered_set(self, value: Annotated[bool, DBusSignature("b")]) -> None:
        self.mind.power(value)

    @dbus_property(name="Pairable")
    def pairable(self) -> Annotated[bool, DBusSignature("b")]:
        return bool(self.state["Pairable"])

    @pairable.setter
    def pairable_set(self, value: Annotated[bool, DBusSignature("b")]) -> None:
        self.state["Pairable"] = value

    @_method("SetDiscoveryFilter")
    def set_discovery_filter(self, _filter: DBusDict) -> None:
        pass

    @_method("StartDiscovery")
    def start_discovery(self) -> None:
        self.mind.discover(on=True)

    @_method("StopDiscovery")
    def stop_discovery(self) -> None:
        self.mind.discover(on=False)

    @_method("RemoveDevice")
    def remove_device(self, path: DBusObjectPath) -> None:
        self.mind.remove(path)


class Device(_Device):  # type: ignore[misc]  # as above
    @dbus_property(name="Trusted")
    def trusted(self) -> Annotated[bool, DBusSignature("b")]:
        return bool(self.state["Trusted"])

    @trusted.setter
    def trusted_set(self, value: Annotated[bool, DBusSignature("b")]) -> None:
        self.state["Trusted"] = value

    @_method("Connect")
    async def connect(self) -> None:
        await self.mind.connect(self)

    @_method("Disconnect")
    def disconnect(self) -> None:
        self.mind.disconnect(self)

    @_method("Pair")
    async def pair(self) -> None:
        await self.mind.pair(self)

    @_method("CancelPairing")
    def cancel_pairing(self) -> None:
        pass


class Characteristic(_Characteristic):  # type: ignore[misc]  # as above
    @_method("ReadValue")
    def read_value(self, _options: DBusDict) -> DBusBytes:
        octets: bytes = self.mind.read(self)
        return octets

    @_method("WriteValue")
    def write_value(self, value: DBusBytes, _options: DBusDict) -> None:
        self.mind.write(self, bytes(value))

    @_method("StartNotify")
    def start_notify(self) -> None:
        self.mind.notify(self, on=True)

    @_method("StopNotify")
    def stop_notify(self) -> None:
        self.mind.notify(self, on=False)


class AgentManager(ServiceInterface):
    def __init__(self, mind: Mind) -> None:
        super().__init__("org.bluez.AgentManager1")
        self._mind = mind

    @_method("RegisterAgent")
    def register(self, path: DBusObjectPath, capability: DBusStr) -> None:
        self._mind.agent(path, capability)

    @_method("RequestDefaultAgent")
    def request_default(self, path: DBusObjectPath) -> None:
        self._mind.default_agent(path)

    @_method("UnregisterAgent")
    def unregister(self, _path: DBusObjectPath) -> None:
        self._mind.agent("", "")
