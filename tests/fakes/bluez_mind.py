"""The mind of a fake bluetoothd: meters that advertise, connect, pair, indicate and hang up.

What it does like BlueZ, because clients depend on it: devices appear only while somebody scans; a
bonded meter keeps its attributes while away, and a subscription made meanwhile counts when it comes
back; `Value` changes are the indications; paths end in hexadecimal handles. Subscriptions: see
`tests.fakes.bluez_ears`.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from dbus_fast import DBusError, Message, MessageType
from dbus_fast.aio import MessageBus

from tests.fakes.bluez_ears import Ears
from tests.fakes.bluez_objects import (
    ADAPTER_PATH,
    Adapter,
    AgentManager,
    Characteristic,
    Device,
    bluez_error,
)
from tests.fakes.bluez_tree import Meter, Tree

CONNECT_S = 0.01  # a moment, so that calls can overlap
ADVERTISE_S = 0.05


_CLIENTS_LEAVE = Message(
    destination="org.freedesktop.DBus",
    path="/org/freedesktop/DBus",
    interface="org.freedesktop.DBus",
    member="AddMatch",
    signature="s",
    body=["type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'"],
)


@dataclass(frozen=True, slots=True)
class Pour:
    """Frames that go out, once each, as soon as somebody listens on an open link.

    An eager meter does not wait for listeners: it sends when the bonded link is encrypted, before
    anybody has looked at its services, and what nobody hears is gone.
    """

    characteristic: str
    frames: tuple[bytes, ...]
    after_s: float = 0.0  # the meter's own pause before the first one
    interval_s: float = 0.0
    hang_up_s: float | None = None  # after the last frame; None: the link stays
    eager: bool = False


class Bluez:
    """Implements `bluez_objects.Mind` over a bus that is already connected."""

    def __init__(
        self, bus: MessageBus, tasks: asyncio.TaskGroup, tell: Callable[..., None]
    ) -> None:
        self.sender = ""
        self.bus = bus
        self.meters: dict[str, Meter] = {}
        self.awake: set[str] = set()  # paths of meters that advertise
        self.pours: defaultdict[str, deque[Pour]] = defaultdict(deque)
        self.faults: defaultdict[str, deque[DBusError]] = defaultdict(deque)
        self.calls: list[str] = []
        self.stuck = False  # services are never resolved
        self.passkey: int | None = None
        self.ears = Ears()
        self.tree = Tree(bus, self)
        self._scanners: set[str] = set()
        self.agents: dict[str, str] = {}  # by path: its capability
        self._agent: tuple[str, str] | None = None  # the default one: whose, and its path
        self._tasks = tasks
        self._tell = tell

    async def start(self) -> None:
        self.bus.add_message_handler(self._remember)
        self.bus.export("/org/bluez", AgentManager(self))
        self.adapter = self.tree.export(
            ADAPTER_PATH,
            Adapter,
            Address="00:00:00:00:00:01",
            Discovering=False,
            Pairable=True,
            Powered=True,
            Roles=["central"],
        )
        await self.bus.request_name("org.bluez")
        await self.bus.call(_CLIENTS_LEAVE)
        self._tasks.create_task(self._advertise(), name="advertise")

    def _remember(self, message: Message) -> None:
        self.sender = message.sender or ""
        if message.member == "NameOwnerChanged" and not message.body[2]:
            self.ears.left(message.body[0])
            self._scanners.discard(message.body[0])

    def add(self, meter: Meter) -> None:
        """A bonded meter is there at once; another appears with its first advertisement.

        It takes the place of one with the same address.
        """
        self._forget(meter.path)
        self.meters[meter.path] = meter
        if meter.bonded:
            self.tree.show_meter(meter)
            self.tree.show_attributes(meter)

    # ---- the air ----

    @property
    def scanning(self) -> bool:
        return bool(self._scanners)

    async def _advertise(self) -> None:
        while True:
            await asyncio.sleep(ADVERTISE_S)
            if not self.scanning:
                continue
            for path in sorted(self.awake):
                device = self.tree.device(path)
                if device is None:
                    self.tree.show_meter(self.meters[path])
                elif not device.state["Connected"]:
                    device.update(RSSI=-60)

    def drop(self, path: str) -> None:
        """The link is lost, or ended by either side."""
        device = self.tree.device(path)
        if device is None or not device.state["Connected"]:
            return
        if not device.state["ServicesResolved"]:
            self.ears.aborted(path)
        device.update(ServicesResolved=False)
        if not device.state["Bonded"]:
            self._forget(path, itself=False)
        device.update(Connected=False)
        self._tell("disconnected", address=device.state["Address"])

    def _forget(self, path: str, itself: bool = True) -> None:
        self.tree.withdraw(path, itself)
        self.ears.gone(path)

    def pour(self, path: str, pour: Pour) -> None:
        """*pour* goes out when it can; the meter advertises until it has gone out."""
        self.pours[path].append(pour)
        self.awake.add(path)
        self._flow(path)

    def _flow(self, path: str) -> None:
        device = self.tree.device(path)
        if device is None or not device.state["Connected"] or not self.pours[path]:
            return
        try:
            char = self.tree.characteristic(path, self.pours[path][0].characteristic)
        except LookupError:
            return
        if self.ears.heard_by(char.path):
            pour = self.pours[path].popleft()
            self._tasks.create_task(self._indicate(device, char, pour), name="indicate")

    async def _indicate(self, device: Device, char: Characteristic, pour: Pour) -> None:
        await asyncio.sleep(pour.after_s)
        sent_ns, heard = [], 0
        for octets in pour.frames:
            sent_ns.append(time.monotonic_ns())
            heard += self.ears.say(char, octets)
            await asyncio.sleep(pour.interval_s)
        facts = {"frames": len(pour.frames), "heard": heard, "sent_ns": sent_ns}
        self._tell("poured", address=device.state["Address"], **facts)
        if not self.pours[device.path]:
            self.awake.discard(device.path)
        self._flow(device.path)
        if pour.hang_up_s is not None:
            await asyncio.sleep(pour.hang_up_s)
            self.drop(device.path)

    # ---- what clients ask for ----

    def _fail(self, method: str) -> None:
        self.calls.append(method)
        if self.faults[method]:
            raise self.faults[method].popleft()

    def _demand_bond(self, char: Characteristic) -> None:
        path = "/".join(char.path.split("/")[:5])
        device = self.tree.device(path)
        assert device is not None
        if self.meters[path].secured and not device.state["Paired"]:
            raise bluez_error("Failed", "Operation failed with ATT error: 0x05")

    def discover(self, on: bool) -> None:
        self._fail("StartDiscovery" if on else "StopDiscovery")
        if not self.adapter.state["Powered"]:
            raise bluez_error("NotReady", "Resource Not Ready")
        if on:
            self._scanners.add(self.sender)
        else:
            self._scanners.discard(self.sender)
        self.adapter.update(Discovering=self.scanning)

    def remove(self, path: str) -> None:
        self._fail("RemoveDevice")
        self.drop(path)
        self._forget(path)

    async def connect(self, device: Device) -> None:
        self._fail("Connect")
        await asyncio.sleep(CONNECT_S)
        if device.path not in self.meters:
            raise bluez_error("Failed", "le-connection-abort-by-local")
        device.update(Connected=True)
        try:
            self._fail("Encrypt")  # no call of anybody's: what BlueZ does next
        except DBusError:
            device.update(Connected=False)
            raise
        self._tell("connected", address=device.state["Address"])
        await self._push(device)
        if not device.state["Connected"]:
            await asyncio.Event().wait()  # measured: BlueZ never answers
        if self.stuck:
            return
        meter = self.meters[device.path]
        if not self.tree.has_attributes(device.path):
            self.tree.show_attributes(meter)
        device.update(ServicesResolved=True)
        self._flow(device.path)

    async def _push(self, device: Device) -> None:
        """What an eager meter sends on the bonded link, at once."""
        pours = self.pours[device.path]
        while device.state["Bonded"] and pours and pours[0].eager:
            pour = pours.popleft()
            char = self.tree.characteristic(device.path, pour.characteristic)
            await self._indicate(device, char, pour)

    def disconnect(self, device: Device) -> None:
        self._fail("Disconnect")
        self.drop(device.path)

    async def pair(self, device: Device) -> None:
        self._fail("Pair")
        if device.state["Paired"]:
            raise bluez_error("AlreadyExists", "Already Exists")
        if self._agent is None:
            raise bluez_error("AuthenticationFailed", "Authentication Failed")
        if self.passkey is not None:
            answer = await self.ask("RequestPasskey", device.path)
            if answer is None:
                raise bluez_error("AuthenticationRejected", "Authentication Rejected")
            if answer != [self.passkey]:
                raise bluez_error("AuthenticationFailed", "Authentication Failed")
        if not device.state["Connected"]:
            await self.connect(device)
        device.update(Paired=True, Bonded=True)

    async def ask(self, method: str, device: str, signature: str = "o", *more: int) -> object:
        """What the default agent answers; None if it refuses or there is none."""
        if self._agent is None:
            return None
        destination, path = self._agent
        answer = await self.bus.call(
            Message(
                destination=destination,
                path=path,
                interface="org.bluez.Agent1",
                member=method,
                signature=signature,
                body=[device, *more],
            )
        )
        if answer is None or answer.message_type is MessageType.ERROR:
            return None
        return answer.body

    def read(self, char: Characteristic) -> bytes:
        self._fail("ReadValue")
        self._demand_bond(char)
        return bytes(char.state["Value"])

    def write(self, char: Characteristic, octets: bytes) -> None:
        self._fail("WriteValue")
        self._demand_bond(char)
        char.state["Value"] = octets
        self._tell("written", characteristic=char.state["UUID"], octets=octets.hex())

    def notify(self, char: Characteristic, on: bool) -> None:
        self._fail("StartNotify" if on else "StopNotify")
        self._demand_bond(char)
        path = "/".join(char.path.split("/")[:5])
        device = self.tree.device(path)
        assert device is not None
        if on:
            self.ears.start(char, self.sender, device.state["Connected"])
        else:
            self.ears.stop(char, self.sender)
        self._flow(path)

    def power(self, on: bool) -> None:
        """The adapter's power; without it no link stands and nobody scans."""
        self._fail("Powered")
        if not on:
            self._scanners.clear()
            for path in self.meters:
                self.drop(path)
        self.adapter.update(Powered=on, Discovering=False)

    def agent(self, path: str, capability: str) -> None:
        """Registered by whoever asks just now; an empty *path*: it is gone."""
        if not path:
            if not self.agents:
                raise bluez_error("DoesNotExist", "Does Not Exist")
            self.agents.clear()
            self._agent = None
        elif path in self.agents:
            raise bluez_error("AlreadyExists", "Already Exists")
        else:
            self.agents[path] = capability

    def default_agent(self, path: str) -> None:
        self._agent = (self.sender, path)
