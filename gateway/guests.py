"""Who may be paired now, and what was asked while it was: the judge behind every kind of agent."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from drivers.api import LinkError

Passkey = Callable[[], Awaitable[int | None]]
"""Six digits that the meter shows, as a person reads them; None: nobody gave any in time."""

Guests = Mapping[str, Passkey | None]
"""By address as heard, in capitals; None: nobody is there to type a passkey."""

HIGHEST_PASSKEY = 999_999  # Core Vol 3 Part H 2.3.5.1: six decimal digits


class BondError(LinkError):
    """The bond was not made. `asked`: for a passkey; `answered`: one was given."""

    def __init__(self, message: str, *, asked: bool = False, answered: bool = False) -> None:
        super().__init__(message)
        self.asked, self.answered = asked, answered


class BondLost(LinkError):
    """One side has the key and the other has not: nothing is read, and nothing is paired."""


@dataclass(slots=True)
class _Guest:
    passkey: Passkey | None
    met: bool = False  # it asked for a bond by itself
    asked: bool = False
    answered: bool = False


class GuestList:
    """Empty unless a technician expects somebody. Nobody else is ever paired with."""

    def __init__(self) -> None:
        self._guests: dict[str, _Guest] = {}

    def expect(self, guests: Guests) -> None:
        """These from now on, and no others."""
        before = self._guests
        self._guests = {
            address: before[address]
            if address in before and before[address].passkey is passkey
            else _Guest(passkey)
            for address, passkey in guests.items()
        }

    @property
    def anybody(self) -> bool:
        return bool(self._guests)

    @property
    def keyboard(self) -> bool:
        """Whether somebody is there to type."""
        return any(guest.passkey is not None for guest in self._guests.values())

    def admits(self, address: str) -> bool:
        return address in self._guests

    def typist(self, address: str) -> Passkey | None:
        """What asks for this one's passkey; None: nobody is there to type it."""
        guest = self._guests.get(address)
        if guest is None or guest.passkey is None:
            return None
        return lambda: self.passkey(address)

    def arrives(self, address: str) -> None:
        """A connection is made to it: what was asked before is over."""
        if guest := self._guests.get(address):
            guest.met = guest.asked = guest.answered = False

    def meets(self, address: str) -> None:
        """A bond without a passkey is asked for, from the meter's side."""
        if guest := self._guests.get(address):
            guest.met = True

    async def passkey(self, address: str) -> int | None:
        """What to answer the meter that asks for its passkey; None: refuse."""
        guest = self._guests.get(address)
        if guest is None:
            return None
        guest.met = guest.asked = True
        number = None if guest.passkey is None else await guest.passkey()
        guest.answered = number is not None
        return number

    async def same(self, address: str, number: int) -> bool:
        """Whether the meter shows *number*: the person types what it shows, and is not told."""
        return await self.passkey(address) == number

    def method(self, address: str, stood: bool) -> str:
        """How the bond was made; "before" if it *stood* already and not by this connection."""
        guest = self._guests.get(address)
        if guest is None or (stood and not guest.met):
            return "before"
        return "passkey" if guest.answered else "just-works"

    def refused(self, address: str, why: str) -> BondError:
        """The error for a bond that was not made."""
        guest = self._guests.get(address) or _Guest(None)
        return BondError(why, asked=guest.asked, answered=guest.answered)
