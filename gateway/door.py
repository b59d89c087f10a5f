"""By what a meter comes in and goes: shared by those who ask and those who hear."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.onlookers import Onlookers
from gateway.pairing_window import Windows


@dataclass(frozen=True, slots=True)
class Door:
    """`unbond` deletes the bond with the meter at an address, if there is one (LinkError)."""

    windows: Windows
    onlookers: Onlookers
    unbond: Callable[[str], Awaitable[None]]
