"""Meters in the air and the rooms that read them: radio, collect, outbox, process. No broker.

A visit is one session of the real rooms; what waits on disk is read afterwards.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from drivers import sig_blood_pressure, sig_glucose, sig_glucose_frames, sig_thermometer
from drivers.api import Driver, Reading
from drivers.pull import fetch
from drivers.push import listen
from gateway.clock import OurClock
from gateway.collect import Collect
from gateway.live import RadioFacts
from gateway.model import GatewayInfo, Patient
from gateway.onlookers import Onlookers
from gateway.outbox import bindings, devices
from gateway.outbox.database import Database
from gateway.outbox.frozen import thaw
from gateway.outbox.moments import maybe
from gateway.outbox.sessions import COMPLETE
from gateway.outbox.store import open_store
from gateway.pairing_window import Windows
from gateway.process import Process
from gateway.radio import Radio
from gateway.terms import Terms
from simulator.air import Air
from simulator.meters.cuff import CUFF
from simulator.meters.glucose import GlucoseMeter
from simulator.meters.meter import Habits, Identity, Meter
from simulator.meters.push import Profile, PushMeter
from tests.radio.home import SHORT

LONG_S = 30.0  # no test waits for as long as this unless something is broken
QUICK = Habits(awake_s=20.0, idle_s=10.0, advertising_ms=20)  # stays for as long as it is wanted
A_YEAR_AGO = datetime.now(UTC) - timedelta(days=365)

ANNA = Patient("urn:ietf:rfc:3986", "urn:uuid:11111111-2222-4333-8444-555555555555")
BODIL = Patient("urn:ietf:rfc:3986", "urn:uuid:99999999-2222-4333-8444-555555555555")

GLUCOSE = (sig_glucose.itemise, sig_glucose_frames.MEASUREMENT, sig_glucose_frames.CONTEXT)
# The same conversations, with less patience than people need.
HURRIED = (
    replace(sig_glucose.DRIVER, converse=fetch(*GLUCOSE, silence_s=0.5)),
    replace(
        sig_blood_pressure.DRIVER,
        converse=listen(*sig_blood_pressure.DRIVER.data, silence_s=0.3),
    ),
    replace(
        sig_thermometer.DRIVER,
        converse=listen(*sig_thermometer.DRIVER.data, silence_s=0.3),
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One reading of the outbox."""

    device: int
    reading: Reading
    state: str
    reason: str | None
    version: int
    effective: datetime | None
    patient: Patient | None

    @property
    def meal(self) -> str | None:
        return next((each.code for each in self.reading.codes if each.system == "meal"), None)


class Room:
    """Its meters live until it is left."""

    def __init__(self, folder: Path, drivers: Sequence[Driver] = HURRIED) -> None:
        self.air = Air(folder / "hci")
        self.store = open_store(folder, folder / "outbox.key")
        self.ours = OurClock("assume", "Europe/Copenhagen")
        self._radio = Radio("bumble", self.air.adapter, folder, limits=SHORT)
        self.drive(drivers)
        self._open = AsyncExitStack()
        self._lives: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._open.callback(self.store.close)
        await self._open.enter_async_context(self.air)
        self._group = await self._open.enter_async_context(asyncio.TaskGroup())
        await self._open.enter_async_context(self._radio)
        return self

    async def __aexit__(self, *raised: object) -> None:
        for life in self._lives:
            life.cancel()
        await self._open.aclose()

    def drive(self, drivers: Sequence[Driver]) -> None:
        """From now on meters are read by these."""
        self._drivers: Mapping[str, Driver] = {each.name: each for each in drivers}
        info = GatewayInfo("gw-7f3ak2m9qd", "0.1.0", "assumed")
        terms = Terms(info, self.ours.zone, simulated=True, gate=False)
        self._process = Process(self.store, self._drivers, self.ours, terms)

    def glucose(
        self, records: int = 0, *, last: int = 0x52, first_number: int = 1, habits: Habits = QUICK
    ) -> GlucoseMeter:
        """A glucose meter whose address ends in *last*."""
        meter = GlucoseMeter(self.air, identity("GLU", last), habits, records, first_number)
        self._live(meter)
        return meter

    def cuff(
        self, *, last: int = 0x51, habits: Habits = QUICK, who: Identity | None = None
    ) -> PushMeter:
        """A cuff whose address ends in *last*, unless *who* says all of it."""
        return self.push(CUFF, who or identity("BP", last), habits)

    def push(self, profile: Profile, who: Identity, habits: Habits = QUICK) -> PushMeter:
        meter = PushMeter(self.air, profile, who, habits)
        self._live(meter)
        return meter

    def _live(self, meter: GlucoseMeter | PushMeter) -> None:
        self._lives.append(self._group.create_task(meter.live(), name=meter.identity.name))

    async def add(
        self,
        meter: Meter,
        patient: Patient | None = ANNA,
        *,
        slot: int | None = None,
        since: datetime | None = A_YEAR_AGO,
    ) -> int:
        """Tell the gateway whose this is, *since* when (None: now). Returns the meter's row."""
        address, now = meter.identity.address, self.ours.utc()
        begun = since or now
        return await self.store(devices.add, address, meter.driver, patient, slot, begun, now)

    async def visit(self, *meters: Meter, sessions: int = 1) -> list[str]:
        """Wake *meters*; collect until so many sessions more are over. Returns their outcomes."""
        return await self._collect(meters, lambda outcomes: len(outcomes) >= sessions)

    async def drain(self, *meters: Meter) -> list[str]:
        """Wake *meters*; collect until every one has told all that it had to tell."""
        return await self._collect(meters, lambda ends: ends.count(COMPLETE) >= len(meters))

    async def _collect(
        self, meters: Sequence[Meter], enough: Callable[[list[str]], bool]
    ) -> list[str]:
        for meter in meters:
            meter.wake()
        before = len(await self.outcomes())
        radio = RadioFacts(counters=self._radio.counters)
        windows = Windows(self._radio.expect)
        for meter in meters:
            await windows.open(meter.identity.address, LONG_S)
        onlookers = Onlookers(self._drivers)
        collect = Collect(
            self.store, self._radio, self._drivers, self.ours, radio, windows, onlookers
        )
        async with asyncio.timeout(LONG_S), asyncio.TaskGroup() as group:
            collecting = group.create_task(collect.run(), name="collect")
            seen = -1
            while not enough((await self.outcomes())[before:]):
                seen = await self.store.changed(seen)
            collecting.cancel()
        await self.settle()
        return (await self.outcomes())[before:]

    async def settle(self) -> None:
        """Read what is on disk, until nothing more can be done."""
        while await self._process.step():
            pass

    async def outcomes(self) -> list[str]:
        rows = await self.rows(
            "SELECT outcome FROM sessions WHERE ended_at IS NOT NULL ORDER BY ended_at"
        )
        return [str(outcome) for (outcome,) in rows]

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return await self.store(lambda db: db.execute(sql).fetchall())

    async def readings(self) -> list[Row]:
        """See `all_readings`."""
        return await self.store(all_readings)


def identity(name: str, last: int) -> Identity:
    return Identity(
        f"{name}-{last:02X}",
        f"C0:11:22:33:44:{last:02X}",
        manufacturer="Hjemgate Simulator",
        model=name,
        serial=f"SIM-{last:04d}",
        firmware="1.0",
        system_id=bytes([last, 0x22, 0x11, 0x00, 0x00, 0x56, 0x34, 0x1A]),
    )


def all_readings(db: Database) -> list[Row]:
    """Every reading, in the order in which they were filed."""
    rows = db.execute(
        "SELECT id, device_id, reading, state, reason, version, effective_at, binding_id"
        " FROM readings ORDER BY id"
    ).fetchall()
    return [
        Row(
            device,
            thaw(db.open("readings", row, "reading", sealed)),
            state,
            reason,
            version,
            maybe(effective),
            None if binding is None else bindings.patient_of(db, binding),
        )
        for row, device, sealed, state, reason, version, effective, binding in rows
    ]
