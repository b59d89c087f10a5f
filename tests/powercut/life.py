"""What happens in a house: meters measure, send again, a broker and a receiver answer, rows go."""

import random
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path

from drivers.api import Frame
from gateway.model import Message
from gateway.outbox import delivery, devices, sessions
from gateway.outbox.database import Database
from gateway.outbox.devices import Device
from gateway.outbox.withdrawal import withdraw
from tests.outbox.house import INFO, NOON, House, context, cuff, glucose
from tests.powercut.promises import Promises

CUFF, GLUCOSE = "C0:11:22:33:44:51", "C0:11:22:33:44:52"


async def whole(house: House) -> None:
    """From frames to forgetting: each step that a row can take, once."""
    cuffs = await house.meter(address=CUFF)
    meter = await house.meter("sig_glucose", address=GLUCOSE)
    await house.session(cuffs, [cuff(121), cuff(122, NOON - timedelta(hours=1))])
    await house.session(meter, [glucose(7), glucose(8)])
    await house.settle()
    for message in await house.publish():
        await house.receive(message)
    await house.session(meter, [context(7)])  # amends a reading that was received
    await house.settle()
    for message in await house.publish():
        await house.receive(message)
    await house.store(withdraw, 1, house.now())
    await house.announce()
    await house.settle()
    for message in await house.publish():
        await house.receive(message)
    await house.store(devices.advance, meter, 8, b"record 8")
    await house.store(devices.set_battery, meter, 80)
    house.now.move(days=8)
    await house.store(delivery.purge, timedelta(days=7), house.now())
    await house.session(cuffs, [cuff(121)])  # its memory again
    await house.settle()
    await house.store(devices.forget, meter, house.now())


class Life:
    """One house at random, over several starts. Memories of meters and of the receiver outlive
    a cut; what the gateway knows does not.
    """

    def __init__(self, chance: random.Random, folder: Path) -> None:
        self._chance, self._folder = chance, folder
        self._measured = 0
        self._now = NOON
        self.memory: dict[str, list[Frame]] = {CUFF: [], GLUCOSE: []}
        self._kept: list[tuple[int, str, Frame]] = []  # operations done, meter, its frame
        self._seen: list[tuple[int, Message]] = []  # operations done, what was sent
        self.promised: set[tuple[str, Frame]] = set()
        self.sent: dict[int, str] = {}  # digests by seq
        self._messages: list[Message] = []  # those that have been sent, in truth

    async def start(self, promises: Promises) -> None:
        """The program starts, as the daemon does."""
        self._promises = promises
        self._kept, self._seen = [], []
        self.house = House(self._folder, store=promises.store, survives=_here)
        self.house.now.at = self._now
        await self.house.store(sessions.end_all, self._now)
        await self.house.process.clear()
        for driver, address in (("sig_blood_pressure", CUFF), ("sig_glucose", GLUCOSE)):
            known = await self.house.store(devices.find, address)
            if known is None:
                await self.house.meter(driver, address=address)
            elif known.identity is None:  # the power went when we first met
                await self._introduce(known)

    async def _introduce(self, meter: Device) -> None:
        store, now, identity = (
            self.house.store,
            self.house.now(),
            "1A345600001122" + meter.address[-2:],
        )
        session = await store(sessions.begin, meter.id, now)
        await store(devices.introduced, meter.id, session, identity, INFO, "just-works")
        await store(sessions.end, session, "complete", now)

    def cut(self, after: int) -> None:
        """The power went after that many operations: what was said before them has been heard."""
        self.promised |= {(meter, frame) for done, meter, frame in self._kept if done <= after}
        self._messages += [message for done, message in self._seen if done <= after]
        for message in self._messages:
            known = self.sent.setdefault(message.seq, message.sha256)
            assert known == message.sha256, "a number was given to other octets"

    async def end(self) -> None:
        """Every meter sends its memory once more, and all that is due arrives."""
        for address, octets in self.memory.items():
            await self._send(address, octets)
        await self.house.settle()
        self.house.now.move(days=1)
        while sent := await self.house.publish():
            self._seen += [(0, message) for message in sent]
            for message in sent:
                await self.house.receive(message)
        self.cut(0)

    async def readings_of(self, address: str, frame: Frame) -> set[int]:
        """The rows that these octets of this meter have come to."""
        return await self.house.store(_readings_of, address, frame)

    async def live(self, steps: int) -> None:
        """So many random things happen."""
        for _ in range(steps):
            await self._chance.choice(self._habits())()
        self._now = self.house.now()

    def _habits(self) -> list[Callable[[], Coroutine[None, None, object]]]:
        often = (self._measure, self._again, self._publish, self._receive)
        steps = (self.house.process.step, self.house.settle)
        return [*often, *often, *steps, self._annotate, self._purge, self._later]

    async def _measure(self) -> None:
        fresh = []
        address = self._chance.choice((CUFF, GLUCOSE))
        for _ in range(self._chance.randint(1, 3)):
            self._measured += 1
            at = self.house.now() + timedelta(seconds=self._measured)
            n = self._measured
            fresh.append(cuff(100 + n % 900, at) if address == CUFF else glucose(n, 40 + n, at))
        self.memory[address] += fresh
        await self._send(address, fresh)

    async def _again(self) -> None:
        """A meter sends everything that it has."""
        address = self._chance.choice((CUFF, GLUCOSE))
        await self._send(address, self.memory[address][-8:])

    async def _annotate(self) -> None:
        if records := self.memory[GLUCOSE]:
            sequence = int.from_bytes(self._chance.choice(records).octets[1:3], "little")
            await self._send(GLUCOSE, [context(sequence)])

    async def _send(self, address: str, octets: list[Frame]) -> None:
        meter = await self.house.store(devices.find, address)
        assert meter is not None
        await self.house.session(meter.id, octets)
        done = len(self._promises.disk.log)
        self._kept += [(done, address, frame) for frame in octets]

    async def _publish(self) -> None:
        sent = await self.house.publish(self._chance.choice((0, 0, 0x10)))
        done = len(self._promises.disk.log)
        self._seen += [(done, message) for message in sent]

    async def _receive(self) -> None:
        sent = [*self._messages, *(message for _, message in self._seen)]
        if sent:
            await self.house.receive(self._chance.choice(sent))

    async def _purge(self) -> None:
        await self.house.store(delivery.purge, timedelta(0), self.house.now())

    async def _later(self) -> None:
        self.house.now.move(hours=self._chance.randint(1, 24))


async def _here(step: Callable[..., None], /, *arguments: object) -> bool:
    """A trial in this process: nothing that it tries is what ended the last one."""
    step(*arguments)
    return True


def _readings_of(db: Database, address: str, frame: Frame) -> set[int]:
    digest = db.digest(str(frame.characteristic).encode(), frame.octets)
    found = db.execute(
        "SELECT f.reading_id FROM frames f JOIN devices d ON d.id = f.device_id"
        " WHERE d.address = ? AND f.digest = ? AND f.reading_id IS NOT NULL",
        address,
        digest,
    )
    return {row for (row,) in found}
