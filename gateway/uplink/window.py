"""Publishes outstanding: how many there may be, and who waits for which answer."""

import asyncio
from dataclasses import dataclass

from gateway.uplink.errors import TOO_LARGE, Refused, UplinkError, reason


@dataclass(frozen=True, slots=True)
class _Waiting:
    answer: asyncio.Future[int]
    size: int


class Window:
    """A place is taken until the broker answers, whether or not somebody still waits for it."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(0)
        self._waiting: dict[int, _Waiting] = {}

    def open(self, places: int) -> None:
        """The broker has said how much it takes at a time."""
        for _ in range(places):
            self._room.release()

    async def enter(self) -> None:
        """Wait for a place."""
        await self._room.acquire()

    def leave(self) -> None:
        """Give a place back unused."""
        self._room.release()

    def sent(self, mid: int, size: int) -> asyncio.Future[int]:
        """Use the place for packet *mid* of *size* octets; what is returned gets its answer."""
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[mid] = _Waiting(answer, size)
        return answer

    def answered(self, mid: int, code: int) -> None:
        """A PUBACK came."""
        waiting = self._waiting.pop(mid, None)
        if waiting is None:
            return
        self._room.release()
        if not waiting.answer.done():
            waiting.answer.set_result(code)

    def fail(self, loss: UplinkError) -> None:
        """The link is gone: whoever waits for an answer, or for a place, finds that out now.

        A broker that hangs up because a packet was too large does not say which. The largest
        was, whichever others were too; were it sent again, it would end every connection.
        """
        waiting = sorted(self._waiting.values(), key=lambda each: each.size)
        self._waiting.clear()
        if loss.reason_code == TOO_LARGE and waiting:
            largest = waiting.pop()
            refused = Refused(f"{largest.size} octets: {reason(TOO_LARGE)}", TOO_LARGE)
            _fail(largest.answer, refused)
        for each in waiting:
            _fail(each.answer, loss.again())
        self._room.release()  # one wakes, and wakes the next


def _fail(answer: asyncio.Future[int], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # whoever waited may have gone away: that is no news
