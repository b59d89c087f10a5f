"""What arrives over one connection: judged, kept, answered, acknowledged; in the order it came in.

The three go on side by side. While a batch is being judged, the one before it is written, and the
receipts of the one before that are under way.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

import aiomqtt

from backend import receipts
from backend.arrival import Arrival
from backend.intake import Check, Heard, judged
from backend.link import Link
from backend.store import Verdict
from gateway.contract import Publication, Receipt, Topics

log = logging.getLogger("hjemgate.receiver")

AT_ONCE = 25  # messages that are judged together
BATCH = 100  # one commit for as many as are there; one message holds their receipts
UNDER_WAY = 2 * BATCH // AT_ONCE  # judgements

T = TypeVar("T")

Keep = Callable[[Sequence[Arrival | Heard], datetime], Awaitable[Sequence[tuple[Arrival, Verdict]]]]
Say = Callable[[Publication], Coroutine[None, None, bool]]  # whether the broker took it
Judging = asyncio.Task[list[Arrival | Heard]]


@dataclass(frozen=True, slots=True)
class _Kept:
    """On disk; the octets are let go."""

    answers: Sequence[tuple[Topics, Receipt]]
    messages: Sequence[tuple[int, int]]  # to be acknowledged


class Arrivals:
    """Use `run` until the connection fails. It raises MqttError, and whatever *keep* raises."""

    def __init__(self, link: Link, check: Check, keep: Keep, say: Say, by: str) -> None:
        self._link, self._check, self._keep, self._by = link, check, keep, by
        self._say = say
        self._judged: asyncio.Queue[tuple[Sequence[aiomqtt.Message], Judging]] = asyncio.Queue(
            UNDER_WAY
        )
        self._kept: asyncio.Queue[_Kept] = asyncio.Queue()

    async def run(self) -> NoReturn:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._judge_all(group), name="judge")
            group.create_task(self._keep_all(), name="keep")
            group.create_task(self._answer_all(), name="answer")
        raise AssertionError("all go on for ever")

    async def _judge_all(self, group: asyncio.TaskGroup) -> NoReturn:
        while True:
            messages = await self._link.arrived(AT_ONCE)
            judging = judged([_heard(message) for message in messages], self._check)
            await self._judged.put((messages, group.create_task(judging, name="judgement")))

    async def _keep_all(self) -> NoReturn:
        while True:
            arrived = await _some(self._judged, BATCH // AT_ONCE)
            items = [item for _, judging in arrived for item in await judging]
            now = datetime.now(UTC)
            kept = [self._answer(*each, now) for each in await self._keep(items, now)]
            answers = [each for each in kept if each is not None]
            acknowledged = [(each.mid, each.qos) for messages, _ in arrived for each in messages]
            self._kept.put_nowait(_Kept(answers, acknowledged))

    def _answer(
        self, arrival: Arrival, verdict: Verdict, now: datetime
    ) -> tuple[Topics, Receipt] | None:
        if verdict.status == "rejected":
            log.warning("rejected, from %s: %s", arrival.sender, verdict.reason)
        else:
            log.info("%s, from %s", verdict.status, arrival.sender)
        receipt = arrival.receipt(verdict, self._by, now)
        return None if arrival.topics is None or receipt is None else (arrival.topics, receipt)

    async def _answer_all(self) -> NoReturn:
        while True:
            kept = await self._kept.get()
            answers: defaultdict[Topics, list[Receipt]] = defaultdict(list)
            for topics, receipt in kept.answers:
                answers[topics].append(receipt)
            async with asyncio.TaskGroup() as group:
                for topics, said in answers.items():
                    for publication in receipts.messages(topics, said):
                        group.create_task(self._say(publication), name="receipts")
            for mid, qos in kept.messages:
                self._link.acknowledge(mid, qos)


async def _some(queue: asyncio.Queue[T], most: int) -> list[T]:
    """Wait for one; return it with what else is there."""
    found = [await queue.get()]
    while len(found) < most and not queue.empty():
        found.append(queue.get_nowait())
    return found


def _heard(message: aiomqtt.Message) -> Heard:
    return Heard(
        str(message.topic),
        bytes(message.payload),
        tuple(Link.user_properties(message)),
        Link.content_type(message),
    )
