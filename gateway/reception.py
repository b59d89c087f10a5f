"""Questions that take a while: what is heard, and a meter that is being paired.

{"do": "scan", "seconds": 30}            ->  {"ok": true}, then {"heard": {...}} until it ends
{"do": "pair", "address": ..., ...}      ->  {"ok": true, ...}, then {"news": {...}} until the
                                             window closes; it closes when the client leaves
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from drivers.api import Advertisement, Bond, Driver
from gateway import questions
from gateway.clock import OurClock
from gateway.door import Door
from gateway.guests import HIGHEST_PASSKEY
from gateway.outbox import roster
from gateway.outbox.devices import Known
from gateway.outbox.store import Store
from gateway.pairing_window import LONGEST_S, WINDOW_S, Window
from gateway.questions import EX_FAILED, Question, Unanswerable

SCAN_S = 30.0
TYPE_S = 28.0  # SMP gives up after 30 s without a word (Core Vol 3 Part H 3.4)
HIGHEST_NAME = 40  # characters of a name that are shown

Say = Callable[[Mapping[str, Any]], Awaitable[None]]


class Keypad:
    """The passkey of one pairing: given, or typed by whoever is at the other end of the socket."""

    def __init__(self, given: int | None) -> None:
        self.given = given
        self._typed: asyncio.Queue[int | None] = asyncio.Queue()
        self.window: Window | None = None

    async def passkey(self) -> int | None:
        """What to answer the meter; None: nobody typed anything in time."""
        if self.given is not None:
            return self.given
        while not self._typed.empty():  # typed for an attempt that is over
            self._typed.get_nowait()
        if self.window is not None:
            self.window.tell("passkey", seconds=int(TYPE_S))
        try:
            async with asyncio.timeout(TYPE_S):
                return await self._typed.get()
        except TimeoutError:
            return None

    def types(self, number: int | None) -> None:
        self._typed.put_nowait(number)


class Reception:
    """For clients of the control socket. Each raises Unanswerable before it has begun."""

    def __init__(
        self,
        store: Store,
        drivers: Mapping[str, Driver],
        ours: OurClock,
        door: Door,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._store, self._drivers, self._ours = store, drivers, ours
        self._door, self._changed = door, changed

    async def scan(self, question: Question, reader: asyncio.StreamReader, say: Say) -> None:
        seconds = questions.seconds(question, "seconds", SCAN_S)
        everybody = questions.flag(question, "all")
        await say({"ok": True, "seconds": seconds})
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(self._tell_heard(everybody, seconds, say), name="scan")
            leaving = group.create_task(departure(reader), name="leaving")
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
            telling.cancel()
            leaving.cancel()

    async def _tell_heard(self, everybody: bool, seconds: float, say: Say) -> None:
        known = await self._store(roster.roster)
        with self._door.onlookers.one(everybody) as onlooker:
            try:
                async with asyncio.timeout(seconds):
                    while True:
                        heard = await onlooker.heard.get()
                        await say({"heard": self._heard(heard, heard.address in known)})
            except TimeoutError:
                await say({"over": True})
            except ConnectionError:
                return

    def _heard(self, heard: Advertisement, registered: bool) -> dict[str, Any]:
        fitting = self._door.onlookers.fitting(heard)
        return {
            "address": heard.address,
            "name": printable(heard.name),
            "rssi": heard.rssi,
            "drivers": [driver.name for driver in fitting],
            "registered": registered,
        }

    async def pair(self, question: Question, reader: asyncio.StreamReader, say: Say) -> None:
        address = questions.address(question)
        driver = questions.driver(question, self._drivers)
        seconds = questions.seconds(question, "seconds", WINDOW_S, LONGEST_S)
        keypad = Keypad(questions.passkey(question))
        present = questions.flag(question, "typed") or question.get("passkey") is not None
        try:
            device = await self._store(roster.register, address, driver, self._ours.utc())
        except Known as error:
            raise Unanswerable(str(error), EX_FAILED) from error
        await self._changed()
        anew = device.identity is not None and self._drivers[driver].bond is Bond.REQUIRED
        window = await self._door.windows.open(
            address, seconds, keypad.passkey if present else None, anew=anew
        )
        keypad.window = window
        try:
            await say({"ok": True, "device": device.id, "again": anew, "seconds": seconds})
            await self._attend(window, keypad, reader, say)
        finally:
            await self._door.windows.close(window, "the technician left")

    async def _attend(
        self, window: Window, keypad: Keypad, reader: asyncio.StreamReader, say: Say
    ) -> None:
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(self._news(window, keypad, say), name="pairing news")
            typing = group.create_task(listen(reader, keypad), name="passkeys")
            await asyncio.wait({telling, typing}, return_when=asyncio.FIRST_COMPLETED)
            telling.cancel()
            typing.cancel()

    async def _news(self, window: Window, keypad: Keypad, say: Say) -> None:
        """Until the window is closed, or the client has left."""
        while True:
            news = await window.news.get()
            try:
                await say({"news": dict(news)})
            except ConnectionError:
                return
            if news["kind"] == "closed":
                return
            if news.get("wrong_passkey") and keypad.given is not None:
                await self._door.windows.close(window, "the passkey that was given is wrong")


async def listen(reader: asyncio.StreamReader, keypad: Keypad) -> None:
    """Passkeys as they are typed, until the client leaves."""
    while line := await _line(reader):
        try:
            said = json.loads(line)
        except ValueError:
            continue
        number = said.get("passkey") if isinstance(said, dict) else None
        keypad.types(number if type(number) is int and 0 <= number <= HIGHEST_PASSKEY else None)


async def departure(reader: asyncio.StreamReader) -> None:
    """Until the client says a line more, or leaves."""
    await _line(reader)


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except (ConnectionError, ValueError):  # ValueError: a line above the limit
        return b""


def printable(name: str | None) -> str:
    """A name that a stranger chose, as far as a terminal can be trusted with it."""
    shown = "".join(
        each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in name or ""
    )
    return shown[:HIGHEST_NAME]
