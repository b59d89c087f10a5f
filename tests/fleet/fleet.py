"""A million gateways that lost their broker, in virtual time, by the gateway's own back-off.

Time goes in steps of one second. Each gateway has its own `gateway.backoff.Backoff`; what is
simulated is the broker, and the people who measure meanwhile.
"""

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.backoff import Backoff
from gateway.uplink.client import CONNECT_S

REFUSALS = (0x89, 0x97, 0x9F)  # server busy, quota exceeded, connection rate exceeded
LONG_AGO_S = -86400.0  # when the connection that is lost was made
MINUTE_S = 60
CONNECTED, TRYING = -1, -2  # in the place of a second that is due


@dataclass(frozen=True, slots=True)
class Broker:
    """One that is away answers nobody. One that is back lets in so many a second, refuses so many
    more in words, and the rest run into their time limit: its queue is full.
    """

    away_s: int
    accepts: int  # a second; the TLS handshake with a client certificate is what takes it
    refuses: int  # a second
    goodbye: int | None = None  # the reason code it leaves with; None: it just vanishes

    def split(self, tries: int, second: int) -> tuple[int, int]:
        """How many of a second's tries get in, and how many are refused."""
        if second < self.away_s:
            return 0, 0
        accepted = min(tries, self.accepts)
        return accepted, min(tries - accepted, self.refuses)


@dataclass(slots=True)
class Course:
    """What the broker saw, second by second from the loss on."""

    away_s: int
    gateways: int
    tries: list[int] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    # Seconds from a measurement to the connection, of those who measured after the return.
    waits: list[int] = field(default_factory=list)

    @property
    def peak(self) -> int:
        """Tries in the worst second, the broker away or back."""
        return max(self.tries)

    @property
    def peak_back(self) -> int:
        """The same, of those seconds in which the broker is back."""
        return max(self.tries[self.away_s :])

    @property
    def tries_each(self) -> float:
        return sum(self.tries) / self.gateways

    def back_after(self, share: float) -> int:
        """Seconds from the broker's return until that share of the fleet is connected."""
        there = self.connected()
        return next(s for s, n in enumerate(there, 1) if n >= share * self.gateways) - self.away_s

    def connected(self) -> Sequence[int]:
        """How many are, at the end of each second."""
        there, all_there = 0, []
        for accepted in self.accepted:
            there += accepted
            all_there.append(there)
        return all_there


def jittered(gateways: int, broker: Broker, people_a_minute: int = 0, seed: int = 4) -> Course:
    """The fleet as it is. *people_a_minute* measure, each in the home of some gateway."""
    return _Fleet(gateways, broker, people_a_minute, random.Random(seed)).run()  # noqa: S311  # lots


def fixed(gateways: int, broker: Broker, every_s: int) -> Course:
    """What a fleet without any back-off does. All are alike, so that counting them is enough."""
    course = Course(broker.away_s, gateways)
    due: defaultdict[int, int] = defaultdict(int)
    for each in range(every_s):
        due[each] = gateways // every_s + (each < gateways % every_s)
    waiting, second = gateways, 0
    while waiting:
        trying = due.pop(second, 0)
        accepted, refused = broker.split(trying, second)
        due[second + every_s] += refused
        due[second + every_s + int(CONNECT_S)] += trying - accepted - refused
        course.tries.append(trying)
        course.accepted.append(accepted)
        waiting -= accepted
        second += 1
    return course


class _Fleet:
    def __init__(
        self, gateways: int, broker: Broker, people_a_minute: int, dice: random.Random
    ) -> None:
        self._broker, self._people, self._dice = broker, people_a_minute / MINUTE_S, dice
        self._now = LONG_AGO_S
        self._backoffs = [Backoff(uniform=dice.uniform, clock=self._clock) for _ in range(gateways)]
        self._due = [CONNECTED] * gateways  # the second of the next try
        self._at: defaultdict[int, list[int]] = defaultdict(list)
        self._failed_at = [0.0] * gateways
        self._measured: dict[int, int] = {}  # gateways with a new reading: since when
        self._course = Course(broker.away_s, gateways)

    def _clock(self) -> float:
        return self._now

    def run(self) -> Course:
        for backoff in self._backoffs:
            backoff.connected()
        self._now = 0.0
        self._fail(range(len(self._due)), 0.0, self._broker.goodbye)
        waiting, second = len(self._due), 0
        while waiting:
            waiting -= self._pass(second)
            second += 1
        return self._course

    def _pass(self, second: int) -> int:
        """One second. Returns how many got in."""
        self._now = float(second)
        self._measure(second)
        trying = self._trying(second)
        accepted, refused = self._broker.split(len(trying), second)
        for each in trying[:accepted]:
            self._accept(each, second)
        code = REFUSALS[second % len(REFUSALS)]
        self._fail(trying[accepted : accepted + refused], 0.0, code)
        self._fail(trying[accepted + refused :], CONNECT_S, None)
        self._course.tries.append(len(trying))
        self._course.accepted.append(accepted)
        return accepted

    def _trying(self, second: int) -> list[int]:
        """Each once, in any order; a wait that was cut short has left an entry behind."""
        trying = []
        for each in self._at.pop(second, ()):
            if self._due[each] == second:
                self._due[each] = TRYING
                trying.append(each)
        self._dice.shuffle(trying)
        return trying

    def _accept(self, each: int, second: int) -> None:
        self._due[each] = CONNECTED
        self._backoffs[each].connected()
        since = self._measured.pop(each, -1)
        if since >= self._broker.away_s:
            self._course.waits.append(second - since)

    def _fail(self, which: Iterable[int], after_s: float, code: int | None) -> None:
        """Those learn *after_s* from now that they failed, and try again some time."""
        learnt = self._now + after_s
        due, at = self._due, self._at
        failed_at, backoffs = self._failed_at, self._backoffs
        for each in which:
            second = int(learnt + backoffs[each].delay(reason_code=code)) + 1
            due[each] = second
            failed_at[each] = learnt
            at[second].append(each)

    def _measure(self, second: int) -> None:
        """People do, whatever the broker does, and the wait is cut short where that may be."""
        for _ in range(int(self._people * (second + 1)) - int(self._people * second)):
            each = self._dice.randrange(len(self._due))
            if self._due[each] <= second:  # connected, or about to try
                continue
            self._measured.setdefault(each, second)
            least = self._backoffs[each].least_s
            if least is None:
                continue
            early = max(second, math.ceil(self._failed_at[each] + least))
            if early < self._due[each]:
                self._backoffs[each].hurried()
                self._due[each] = early
                self._at[early].append(each)
