"""A virtual home: five meters in one air, and the socket of the adapter to read them with.

    async with Home(socket) as home:      # home.adapter goes into the gateway's configuration
        measured = home.cuff.measure()

`hjemgate simulate` runs it by itself.
"""

import argparse
import asyncio
import signal
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self

from simulator.air import Air
from simulator.meters.cuff import CUFF
from simulator.meters.glucose import GlucoseMeter
from simulator.meters.information import certification, udi
from simulator.meters.meter import Habits, Identity, Meter
from simulator.meters.oximeter import OXIMETER
from simulator.meters.push import PushMeter
from simulator.meters.scale import SCALE
from simulator.meters.thermometer import THERMOMETER

RECORDS = 20  # what the glucose meter holds from before

# System IDs as sent: five octets of their own, then the three of an OUI, each least significant
# first. The OUI has the "locally administered" bit, so no manufacturer is claimed.
MADE_UP_OUI = bytes.fromhex("56341A")


def _identity(name: str, last: int, model: str, numbered: bool = True) -> Identity:
    system_id = bytes([last, 0x22, 0x11, 0x00, 0x00]) + MADE_UP_OUI if numbered else b""
    return Identity(
        name,
        f"C0:11:22:33:44:{last:02X}",
        manufacturer="Hjemgate Simulator",
        model=model,
        serial=f"SIM-{last:04d}",
        firmware="1.0",
        system_id=system_id,
    )


class Home:
    """The five meters. None of them advertises before it has measured, or somebody woke it."""

    def __init__(self, socket: Path, habits: Habits | None = None, records: int = RECORDS) -> None:
        habits = habits or Habits()
        self.air = Air(socket)
        cuff = replace(
            _identity("BP-SIM", 0x51, "Cuff"),
            hardware="A",
            software="1.0.3",
            certification=certification(regulated=False),  # it is no medical device, and not real
            udi=udi("(01)00000000000000(21)SIM-0081", "00000000000000"),
        )
        self.cuff = PushMeter(self.air, CUFF, cuff, habits)
        self.glucose = GlucoseMeter(
            self.air, _identity("GLU-SIM", 0x52, "Glucose"), habits, records
        )
        self.scale = PushMeter(self.air, SCALE, _identity("SCALE-SIM", 0x53, "Scale"), habits)
        self.thermometer = PushMeter(
            self.air, THERMOMETER, _identity("TEMP-SIM", 0x54, "Ear", numbered=False), habits
        )
        self.oximeter = PushMeter(
            self.air, OXIMETER, _identity("OXI-SIM", 0x55, "Finger", numbered=False), habits
        )
        self._running = AsyncExitStack()
        self._lives: list[asyncio.Task[None]] = []

    @property
    def adapter(self) -> str:
        """What `radio.adapter` is to be, with `radio.backend = "bumble"`."""
        return self.air.adapter

    @property
    def meters(self) -> tuple[Meter, ...]:
        return (self.cuff, self.glucose, self.scale, self.thermometer, self.oximeter)

    async def __aenter__(self) -> Self:
        await self._running.enter_async_context(self.air)
        tasks = await self._running.enter_async_context(asyncio.TaskGroup())
        for meter in (self.cuff, self.glucose, self.scale, self.thermometer, self.oximeter):
            self._lives.append(tasks.create_task(meter.live(), name=meter.identity.name))
        return self

    async def __aexit__(self, *raised: object) -> None:
        for life in self._lives:
            life.cancel()
        await self._running.aclose()


class _Command:
    """`hjemgate simulate`."""

    name = "simulate"
    help = "a virtual home of five meters, for a gateway on this machine to read"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--socket",
            type=Path,
            default=Path(tempfile.gettempdir()) / "hjemgate-home.hci",
            help="where the gateway finds its Bluetooth adapter (default: %(default)s)",
        )
        parser.add_argument(
            "--every",
            type=float,
            default=60.0,
            metavar="SECONDS",
            help="somebody measures something this often (default: %(default)s)",
        )
        parser.add_argument(
            "--records",
            type=int,
            default=RECORDS,
            help="records that the glucose meter holds already (default: %(default)s)",
        )

    def run(self, args: argparse.Namespace) -> int:
        asyncio.run(_simulate(args.socket, args.every, args.records))
        return 0


async def _simulate(socket: Path, every_s: float, records: int) -> None:
    """Until SIGINT or SIGTERM."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with Home(socket, records=records) as home:
        _introduce(home)
        turn = 0
        while not ended.is_set():
            meter = home.meters[turn % len(home.meters)]
            measured = meter.measure()
            values = ", ".join(f"{each.kind} {each.number} {each.unit}" for each in measured.values)
            print(f"{measured.taken_at}  {meter.identity.name:10}{values}", flush=True)
            turn += 1
            try:
                async with asyncio.timeout(every_s):
                    await ended.wait()
            except TimeoutError:
                continue


def _introduce(home: Home) -> None:
    print("A virtual home. Write into the gateway's configuration:\n")
    print(f'  [radio]\n  backend = "bumble"\n  adapter = "{home.adapter}"\n')
    print("and bring the meters in with `hjemgate pair`, or `hjemgate devices add`:\n")
    for meter in home.meters:
        identity = meter.identity
        print(f"  --driver {meter.driver:20} --address {identity.address}   # {identity.name}")
    print("\nEnd with Ctrl-C.\n", flush=True)


COMMAND = _Command()
