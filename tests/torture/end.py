"""When the trouble is over: everything is collected and sent, then judged."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from backend.store import readings
from gateway import control_client
from gateway.outbox.database import Database
from gateway.outbox.store import open_store
from simulator.demo_proof import Facts, told_by_meter
from simulator.meters.meter import Measured, Meter
from simulator.meters.push import PushMeter
from tests.torture.judgement import Judgement, judge, newest
from tests.torture.parts import Life
from tests.torture.scene import Confirmations, Scene
from tests.torture.trouble import Count

PATIENCE_S = 120.0  # for what waits when the trouble ends
LOOK_S = 0.5
LINGER_S = 5.0  # longer than a resend: what is sent again must change nothing
# What was confirmed longer ago than this and is on no disk is lost, and in no window.
WINDOW_S = 0.25
UNSENT = ("pending", "published")


@dataclass(slots=True)
class Result:
    measured: int
    verdict: Judgement
    windows_ms: list[float] = field(default_factory=list)  # one for each reading counted apart
    parked_by_crash: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        return self.verdict.well

    def line(self) -> str:
        verdict, apart = self.verdict, len(self.windows_ms)
        window = f", within {max(self.windows_ms):.0f} ms" if apart else ""
        return (
            f"readings measured {self.measured}, lost {len(verdict.lost)},"
            f" doubled {verdict.doubled}, wrong patient {verdict.wrong_patient},"
            f" wrong time {verdict.wrong_time}; counted apart: confirmed to a meter that erases,"
            f" and killed before the commit: {apart}{window}"
        )


async def settle(here: Scene) -> bool:
    """Wake the meters until they have nothing left and the gateway has sent all of it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    while loop.time() < deadline:
        for meter in here.home.meters:
            if len(meter.collected) < len(meter.measured):
                meter.wake()
        if _all_collected(here) and await _all_sent(here):
            await asyncio.sleep(LINGER_S)
            return True
        await asyncio.sleep(LOOK_S)
    return False


def _all_collected(here: Scene) -> bool:
    return all(len(meter.collected) == len(meter.measured) for meter in here.home.meters)


async def _all_sent(here: Scene) -> bool:
    try:
        rows = (await here.ask("status"))["status"]["rows"]
    except control_client.Unreachable:
        return False
    return not any(rows[state] for state in UNSENT)


async def judged(here: Scene) -> Result:
    """To be called when nothing runs any more."""
    truth: dict[int, tuple[Meter, Measured]] = {}
    measured: list[Facts] = []
    for meter in here.home.meters:
        for each in meter.measured:
            facts = told_by_meter(meter, here.patient(meter), each)
            truth[id(facts)] = (meter, each)
            measured.append(facts)
    verdict = judge(measured, newest(readings(here.held)))
    result = Result(len(measured), verdict)
    lost, verdict.lost = verdict.lost, []
    store = open_store(here.state, here.outbox_key)
    try:
        for facts in lost:
            meter, reading = truth[id(facts)]
            where = await store(_where, reading)
            window = _window_s(here, meter, reading)
            if not where and window is not None and window <= WINDOW_S:
                result.windows_ms.append(window * 1000)
            else:
                verdict.lost.append(facts)
                told = _told(where, window) + _disk_then(here, meter, reading)
                verdict.complaints.insert(0, f"lost: {reading.meter} {reading.at:%H:%M:%S}: {told}")
        result.parked_by_crash = await store(_parked_by_crash)
        result.notes += await store(_waiting)
    finally:
        store.close()
    return result


def _told(where: str, window_s: float | None) -> str:
    told = f"frame {where}" if where else "on no disk"
    heard = "never confirmed" if window_s is None else f"confirmed {window_s * 1000:.0f} ms before"
    return f"{told}; {heard} the gateway's end"


def _where(db: Database, reading: Measured) -> str:
    """What became of its first frame in the outbox; empty: it never was there."""
    frame = reading.frames[0]
    digest = db.digest(str(frame.characteristic).encode(), frame.octets)
    rows = db.execute(
        "SELECT f.state, f.reason, r.state, r.reason FROM frames f"
        " LEFT JOIN readings r ON r.id = f.reading_id WHERE f.digest = ?",
        digest,
    )
    return "; ".join(" ".join(str(word) for word in row if word) for row in rows)


def _parked_by_crash(db: Database) -> int:
    return int(db.one("SELECT count(*) FROM journey WHERE step = 'parked' AND detail = 'crash'"))


def _waiting(db: Database) -> list[str]:
    rows = db.execute(
        "SELECT 'readings ' || state || ': ' || coalesce(reason, ''), count(*) FROM readings"
        " WHERE state <> 'received' GROUP BY 1 UNION ALL"
        " SELECT 'frames ' || state || ': ' || coalesce(reason, ''), count(*) FROM frames"
        " WHERE state NOT IN ('decoded', 'repeat') GROUP BY 1"
    )
    return [f"{count} {what}" for what, count in rows]


def _window_s(here: Scene, meter: Meter, reading: Measured) -> float | None:
    """From the meter's hearing the confirmation to the end of that life of the gateway; None if
    the meter still has it, or the life did not end.
    """
    heard = _heard(meter, reading)
    life = None if heard is None else _life_at(here.gateway.lives, heard)
    if heard is None or life is None or life.ended is None:
        return None
    return max(0.0, life.ended - heard)  # what was on its way at the kill is heard after it


def _heard(meter: Meter, reading: Measured) -> float | None:
    """When a meter that erases heard its confirmation; None if it did not, or does not erase."""
    if not isinstance(meter, PushMeter) or not isinstance(meter.collected, Confirmations):
        return None
    told = zip(meter.collected.at, meter.collected, strict=True)
    return next((at for at, each in told if each is reading), None)


def _disk_then(here: Scene, meter: Meter, reading: Measured) -> str:
    heard = _heard(meter, reading)
    full = heard is not None and here.disk is not None and here.disk.was_full(heard)
    return "; the disk was full" if full else ""


def _life_at(lives: Sequence[Life], moment: float) -> Life | None:
    return next((life for life in reversed(lives) if life.begun <= moment), None)


def notes(here: Scene, count: Count) -> Iterator[str]:
    """What was done, and what is to be known beside the last line."""
    yield (
        f"kills {count.killed}: "
        + ", ".join(f"{name} {n}" for name, n in count.kills.items())
        + f"; links cut {count.cuts}, adapter pulled {count.pulls}, disk full {count.full},"
        f" clock wrong at start {count.steps}"
    )
    for part in (here.gateway, here.receiver):
        if part.last_words:
            yield f"the {part.name} ended {len(part.last_words)} times by itself; the reasons:"
            reasons = [words.splitlines()[-1] if words else "?" for words in part.last_words]
            for reason in sorted(set(reasons)):
                yield f"  {reasons.count(reason)} times: {reason}"
    yield from here.missing


def windows(result: Result) -> str:
    """Each reading that is counted apart: from its confirmation to the kill."""
    return "windows in ms: " + " ".join(f"{each:.0f}" for each in sorted(result.windows_ms))
