"""The story of a demonstration: what happens to each reading, as it happens, in plain words."""

import asyncio
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from drivers.api import Kind
from simulator.meters.meter import HOME, Measured, Meter

BREATH_S = 0.4  # what happens to several readings of a meter within so long is told together
INDENT = " " * 10  # as wide as a time of day

NAMES: Mapping[str, str] = {  # by driver
    "sig_blood_pressure": "cuff",
    "sig_glucose": "glucose meter",
    "sig_weight_scale": "scale",
    "sig_thermometer": "thermometer",
    "sig_pulse_oximeter": "oximeter",
}
WIDTH = max(len(name) for name in NAMES.values())

# Step of a journey: the word for it, and what to say of the readings; {} is the step's detail.
WORDS: Mapping[str, tuple[str, str]] = {
    "bound": ("added", "its readings belong to patient {patient} from now on"),
    "kept": ("received", "{messages}: on the gateway's disk, as sent by the meter"),
    "stored": ("stored", "{readings} of patient {patient}"),
    "published": ("sent", "{readings}: taken on by the broker"),
    "received": ("confirmed", "{readings}: stored by {detail}"),
    "unheard": ("waits", "{readings}: nobody listens at the broker yet; goes out again"),
    "repeat": ("known", "{readings}: sent again by the meter, stored already"),
    "amended": ("corrected", "{readings}: goes out again"),
    "held": ("held", "{readings}: {detail}"),
    "ignored": ("left out", "{readings}: {detail}"),
    "parked": ("set aside", "{readings}: {detail}"),
}
UNITS: Mapping[str, str] = {"mm[Hg]": "mmHg", "Cel": "°C", "/min": "a minute"}
LABELS: Mapping[Kind, str] = {
    Kind.MEAN_PRESSURE: "mean ",
    Kind.PULSE_RATE: "pulse ",
    Kind.PULSE_AMPLITUDE_INDEX: "amplitude ",
}


@dataclass(slots=True)
class _Bout:
    """What happened to one meter's readings within a breath."""

    at: datetime
    readings: list[int]
    messages: int = 0


class Story:
    """Tells *out*. `owners`: the patient of each meter, by driver.

    `steps` remembers which readings (by the gateway's row) took which step, by driver and step.
    """

    def __init__(self, out: TextIO, owners: Mapping[str, str]) -> None:
        self.begun = asyncio.Event()  # `follow` hears everything from now on
        self.steps: dict[tuple[str, str], set[int]] = {}
        self._out, self._owners = out, owners
        self._bouts: dict[tuple[str, str, str], _Bout] = {}

    def took(self, driver: str, *steps: str) -> int:
        """How many readings took any of these steps."""
        return len(set().union(*(self.steps.get((driver, step), set()) for step in steps)))

    def heading(self, words: str) -> None:
        self.breathe()
        self._say(f"\n{words}")

    def note(self, words: str) -> None:
        self.breathe()
        self._say(f"{_clock(datetime.now(UTC))}  {words}")

    def measured(self, meter: Meter, measured: Measured) -> None:
        self.breathe()
        self._line(measured.at, meter.driver, "measures", spoken(measured))

    async def follow(self, steps: AsyncIterable[Mapping[str, Any]]) -> None:
        """Hear *steps* of journeys until there are no more; an answer to the question first."""
        async for step in steps:
            if "step" in step:
                self._heard(step)
            self.begun.set()

    async def tell(self) -> None:
        """For ever: what has been heard, breath by breath."""
        while True:
            await asyncio.sleep(BREATH_S)
            self.breathe()

    def _heard(self, step: Mapping[str, Any]) -> None:
        name, driver, reading = str(step["step"]), str(step["driver"]), step["reading"]
        if name not in WORDS:
            return
        counted = name in ("kept", "bound")
        key = (driver, name, "" if counted else str(step["detail"]))
        bout = self._bouts.setdefault(key, _Bout(datetime.fromisoformat(step["at"]), []))
        if name == "kept":
            bout.messages += int(step["detail"])
        if reading is not None:
            bout.readings.append(reading)
            self.steps.setdefault((driver, name), set()).add(reading)

    def breathe(self) -> None:
        """Tell what has gathered."""
        bouts, self._bouts = self._bouts, {}
        for (driver, step, detail), bout in bouts.items():
            word, sentence = WORDS[step]
            told = sentence.format(
                readings=ranges(bout.readings),
                messages="1 message" if bout.messages == 1 else f"{bout.messages} messages",
                patient=short(self._owners.get(driver, "?")),
                detail=detail,
            )
            self._line(bout.at, driver, word, told)

    def _line(self, at: datetime, driver: str, word: str, told: str) -> None:
        self._say(f"{_clock(at)}  {NAMES.get(driver, driver):{WIDTH}}  {word:9}  {told}")

    def _say(self, line: str) -> None:
        print(line, file=self._out, flush=True)


def spoken(measured: Measured) -> str:
    """`121/81 mmHg, mean 94 mmHg, pulse 62 a minute`."""
    numbers = {value.kind: value.number for value in measured.values}
    told = []
    for value in measured.values:
        unit = UNITS.get(value.unit, value.unit)
        if value.kind is Kind.SYSTOLIC:
            told.append(f"{value.number}/{numbers[Kind.DIASTOLIC]} {unit}")
        elif value.kind is not Kind.DIASTOLIC:
            told.append(f"{LABELS.get(value.kind, '')}{value.number} {unit}")
    return ", ".join([*told, *filter(None, [measured.codes.get("meal")])])


def ranges(numbers: list[int]) -> str:
    """`reading 3`, `readings 3 to 22, 24`."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    told = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return f"reading{'' if len(set(numbers)) == 1 else 's'} {', '.join(told)}"


def short(patient: str) -> str:
    """The beginning of an opaque identifier: enough to tell two people apart."""
    return patient.removeprefix("urn:uuid:")[:8]


def _clock(at: datetime) -> str:
    return f"{at.astimezone(HOME):%H:%M:%S}"
