"""A house without a radio: sessions are told what a meter sent, rows are looked at afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drivers.api import DeviceInfo, Driver, Frame, sig_uuid
from drivers.registry import all_drivers
from gateway import trial
from gateway.announce import Announce
from gateway.clock import OurClock
from gateway.model import GatewayInfo, Message, Patient, Stamp
from gateway.outbox import delivery, devices, frames, receipts, sessions
from gateway.outbox.delivery import Ack, Resend
from gateway.outbox.receipts import ReceiptNote
from gateway.outbox.store import Store, open_store
from gateway.process import Process
from gateway.suspects import Survives, Suspects
from gateway.terms import Terms

NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)  # noon in Copenhagen
ANNA = Patient("urn:ietf:rfc:3986", "urn:uuid:11111111-2222-4333-8444-555555555555")
BODIL = Patient("urn:ietf:rfc:3986", "urn:uuid:99999999-2222-4333-8444-555555555555")
RESEND = Resend(timedelta(minutes=10), timedelta(hours=6))
INFO = DeviceInfo("Maker", "Model", "S-1", "", "1.0", "", bytes.fromhex("1A34560000112251"))

BLOOD_PRESSURE = sig_uuid(0x2A35)


@dataclass
class Now:
    """A clock that stands until it is moved."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


class House:
    """One outbox and its process, at a time of our choosing."""

    def __init__(
        self,
        state_dir: Path,
        *,
        gate: bool = False,
        store: Store | None = None,
        survives: Survives = trial.survives,
        gateway: str = "gw-7f3ak2m9qd",
        now: Now | None = None,
        ours: OurClock | None = None,
        drivers: Mapping[str, Driver] | None = None,
    ) -> None:
        self.state_dir = state_dir
        self.now = now or Now()
        self.store: Store = store or open_store(state_dir, state_dir / "outbox.key")
        self._drivers = drivers or all_drivers()
        self._gateway, self._gate, self._survives = gateway, gate, survives
        self.start(ours or OurClock("assume", "Europe/Copenhagen", self.now))

    def start(self, ours: OurClock) -> None:
        """The program begins, or begins anew on the rows that are there."""
        self.ours = ours
        info = GatewayInfo(self._gateway, "0.1.0", ours.source)
        self._terms = Terms(info, ours.zone, simulated=True, gate=self._gate)
        suspects = Suspects(self.store, self._drivers, ours, self._survives)
        self.process = Process(self.store, self._drivers, ours, self._terms, suspects)

    def close(self) -> None:
        self.store.close()

    def stamp(self, *, trusted: bool = True) -> Stamp:
        return replace(self.ours.now(), trusted=trusted)

    async def meter(
        self,
        driver: str = "sig_blood_pressure",
        *,
        slot: int | None = None,
        patient: Patient | None = ANNA,
        since: datetime = NOON - timedelta(days=365),
        address: str = "C0:11:22:33:44:51",
    ) -> int:
        """A meter that has been introduced, bound to *patient*."""
        device = await self.store(devices.add, address, driver, patient, slot, since, self.now())
        session = await self.store(sessions.begin, device, self.now())
        found = await self.store(devices.by_id, device)
        if found.identity is None:
            identity = "1A345600001122" + address[-2:]
            await self.store(devices.introduced, device, session, identity, INFO, "just-works")
        await self.store(sessions.end, session, "complete", self.now())
        return device

    async def session(
        self, device: int, octets: Sequence[Frame], clock: datetime | None = None
    ) -> None:
        """One connection: the frames, and what the meter's clock shows (default: the truth)."""
        row = await self.store(sessions.begin, device, self.now())
        shown = clock or self.ours.local()
        await self.store(sessions.clock_event, row, "read", shown, self.stamp())
        if octets:
            arrived = [(frame, self.stamp()) for frame in octets]
            await self.store(frames.keep, device, row, arrived)
        await self.store(sessions.end, row, "complete", self.now())

    async def settle(self) -> None:
        """Process until nothing more can be done."""
        while await self.process.step():
            pass

    async def announce(self) -> None:
        """Say what this gateway and its meters are, if that was not said."""
        await Announce(self.store, self._drivers, self.ours, self._terms).look()

    async def due(self) -> list[Message]:
        return await self.store(delivery.due, self.now(), 100)

    async def publish(self, code: int = 0, *, receipts: bool = True) -> list[Message]:
        """Everything due is sent, and the broker answers *code*."""
        messages = await self.due()
        acks = [Ack(each.row, each.version, code) for each in messages]
        await self.store(delivery.published, acks, RESEND, receipts, self.now())
        return messages

    async def receive(
        self, message: Message, status: str = "stored", by: str = "care", **but: str
    ) -> str:
        """A receiver's word on *message*; *but* forges parts of it."""
        note = ReceiptNote(str(message.id), message.epoch, message.sha256, by, status, "because")
        note = replace(note, **but)
        return (await self.store(receipts.take, [note], (), self.now()))[0]

    async def states(self) -> list[str]:
        return [str(row[0]) for row in await self.rows("SELECT state FROM readings ORDER BY id")]

    async def rows(self, sql: str) -> list[tuple[object, ...]]:
        return await self.store(lambda db: db.execute(sql).fetchall())


def cuff(
    systolic: int = 121, at: datetime | None = NOON, user: int | None = None, mean: int = 93
) -> Frame:
    """A Blood Pressure Measurement of a cuff whose clock shows the home's time."""
    flags = (2 if at else 0) | (8 if user is not None else 0)
    octets = bytes([flags])
    for value in (systolic, 79, mean):
        octets += value.to_bytes(2, "little")
    if at:
        local = at + timedelta(hours=1)
        octets += local.year.to_bytes(2, "little")
        octets += bytes([local.month, local.day, local.hour, local.minute, local.second])
    if user is not None:
        octets += bytes([user])
    return Frame(BLOOD_PRESSURE, octets)


def glucose(sequence: int, mmol: int = 61, at: datetime = NOON) -> Frame:
    """A Glucose Measurement: mmol/L times ten, capillary plasma, finger."""
    octets = bytes([0x06]) + sequence.to_bytes(2, "little")
    local = at + timedelta(hours=1)
    octets += local.year.to_bytes(2, "little")
    octets += bytes([local.month, local.day, local.hour, local.minute, local.second])
    octets += (0xC000 | mmol).to_bytes(2, "little") + bytes([0x12])  # exponent -4: mol/L
    return Frame(sig_uuid(0x2A18), octets)


def context(sequence: int, meal: int = 3) -> Frame:
    """A Glucose Measurement Context that names the meal."""
    return Frame(sig_uuid(0x2A34), bytes([0x02]) + sequence.to_bytes(2, "little") + bytes([meal]))
