"""The local socket that the commands speak to: JSON lines, one question, one answer.

    {"do": "status"}                ->  {"ok": true, "status": {...}}
    {"do": "release", "row": "r9"}  ->  {"ok": false, "error": "...", "exit": 1}
    {"do": "watch", "after": 12}    ->  {"ok": true, "last": 12}, then {"step": {...}} for ever

Only the gateway's own user and root are heard.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drivers.api import Driver
from gateway import questions
from gateway.answers import Answer, Answers
from gateway.clock import OurClock
from gateway.config import Config
from gateway.control_socket import listening, may_ask, peer
from gateway.door import Door
from gateway.health import Health
from gateway.outbox import trail
from gateway.outbox.store import Store
from gateway.questions import EX_USAGE, Question, Unanswerable
from gateway.reception import Reception, Say, departure

log = logging.getLogger(__name__)

LONGEST_LINE = 8192  # octets; a question is a few hundred
CLIENTS = 16  # at the same time; the rest wait in the backlog
STEPS = 200  # of a journey in one read

Stream = Callable[[Question, asyncio.StreamReader, Say], Awaitable[None]]
"""A question that is answered by many lines. Raises Unanswerable before the first."""


class Control:
    """The server. `serve` runs for ever; `ready` returns once it listens."""

    def __init__(
        self,
        path: Path,
        store: Store,
        drivers: Mapping[str, Driver],
        ours: OurClock,
        config: Config,
        health: Health,
        changed: Callable[[], Awaitable[None]],
        door: Door,
    ) -> None:
        self._path, self._store, self._zone = path, store, config.gateway.zone
        self._answers = Answers(store, drivers, ours, config, health, changed, door)
        reception = Reception(store, drivers, ours, door, changed)
        self.streams: dict[str, Stream] = {
            "watch": self._watch,
            "scan": reception.scan,
            "pair": reception.pair,
        }
        self._clients = asyncio.Semaphore(CLIENTS)
        self._listening = asyncio.Event()

    async def ready(self) -> None:
        await self._listening.wait()

    async def serve(self) -> None:
        """Raises control_socket.Occupied before it has begun anything."""
        loop = asyncio.get_running_loop()
        with listening(self._path) as server:
            self._listening.set()
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._clients.acquire()
                    client, _ = await loop.sock_accept(server)
                    group.create_task(self._attend(client), name="control client")

    async def _attend(self, client: socket.socket) -> None:
        try:
            reader, writer = await asyncio.open_unix_connection(sock=client, limit=LONGEST_LINE)
            try:
                await self._converse(client, reader, writer)
                writer.close()
                await writer.wait_closed()
            finally:
                writer.transport.abort()
        except ConnectionError:
            log.debug("a control client left in the middle")
        finally:
            self._clients.release()

    async def _converse(
        self, client: socket.socket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        uid = peer(client)
        while True:
            try:
                line = await reader.readline()
            except ValueError:  # asyncio's word for a line above the limit
                await _say(writer, _error(f"a line has {LONGEST_LINE} octets at most", EX_USAGE))
                return
            if not line:
                return
            if not may_ask(uid):
                log.warning("control: user id %d was refused", uid)
                await _say(writer, _error("only root and the gateway's user may ask", EX_USAGE))
                return
            await self._question(line, reader, writer)

    async def _question(
        self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            question = _parse(line)
            stream = self.streams.get(str(question.get("do")))
            if stream is not None:
                await stream(question, reader, lambda told: _say(writer, told))
                return
            answer = {"ok": True} | await self._answers.answer(question)
        except Unanswerable as error:
            answer = _error(str(error), error.code)
        await _say(writer, answer)

    async def _watch(self, question: Question, reader: asyncio.StreamReader, say: Say) -> None:
        """Steps of journeys as they happen, until the client says a line more, or leaves."""
        last = questions.number(question, "after")
        if last is None:
            last = await self._store(trail.newest)
        await say({"ok": True, "last": last, "zone": self._zone})
        async with asyncio.TaskGroup() as group:
            steps = group.create_task(self._steps(last, say), name="steps")
            await departure(reader)
            steps.cancel()

    async def _steps(self, last: int, say: Say) -> None:
        while True:
            seen = self._store.revision
            steps = await self._store(trail.since, last, STEPS)
            for step in steps:
                last = step.id
                told = asdict(step) | {"at": step.at.isoformat()}
                try:
                    await say({"step": told})
                except ConnectionError:
                    return
            if len(steps) < STEPS:
                await self._store.changed(seen)


def _parse(line: bytes) -> dict[str, Any]:
    try:
        question = json.loads(line)
    except (ValueError, RecursionError):
        raise Unanswerable("expected one JSON object in a line") from None
    if not isinstance(question, dict):
        raise Unanswerable("expected one JSON object in a line")
    return question


def _error(words: str, code: int) -> Answer:
    return {"ok": False, "error": words, "exit": code}


async def _say(writer: asyncio.StreamWriter, answer: Mapping[str, Any]) -> None:
    writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
    await writer.drain()
