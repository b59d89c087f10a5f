"""First contact: bond with a meter and learn who it is, once, to be frozen."""

from dataclasses import dataclass
from uuid import UUID

from drivers.api import Bond, DeviceInfo, Driver, LinkError
from drivers.device_information import device_info
from gateway.guests import BondError
from gateway.link import AttError, Link

WRONG = (
    "the meter refuses the passkey that was given. It shows a new one each time unless it is"
    " printed on it: start pairing on the meter again, and type what it shows then"
)
UNANSWERED = (
    "the meter asks for a passkey, and none was given in time. It shows six digits, or they are"
    " printed on it: type them when asked, or give them with --passkey"
)
REFUSED = (
    "the meter refuses to pair. Put it into pairing mode as its manual says, close to the gateway;"
    " many meters keep one bond only: if it was paired with a phone or another gateway, delete"
    " that pairing in the meter first"
)
INTERRUPTED = (
    "the meter went away in the middle of pairing. Keep it within a metre or two of the gateway,"
    " put it into pairing mode as its manual says, and try again"
)
LOST_HERE = (
    "the gateway has lost its bond with this meter, so nothing is read from it. Pair it again:"
    " `hjemgate pair --address {address}`"
)
LOST_THERE = (
    "the meter does not know the gateway's key any more: it has lost the bond (new batteries, a"
    " reset, paired with something else), or another device uses its address. Nothing is read."
    " Pair it again: `hjemgate pair --address {address}`"
)


@dataclass(frozen=True, slots=True)
class Introduction:
    """Who a meter is. `identity` never changes afterwards, whatever the meter says later."""

    info: DeviceInfo
    identity: str
    bond: str  # how: "just-works", "passkey", "before" (it stood already), or "none"


async def introduce(link: Link, driver: Driver) -> Introduction:
    """Bond if *driver* wants it, and read the device information.

    Raises LinkError: nothing may be kept of a meter whose bond failed, nor of one whose
    information was read in part, for its identity hangs on it.
    """
    bond = "none"
    if driver.bond is Bond.REQUIRED:
        bond = await _bond(link)
    info = await information(link)
    return Introduction(info, identity(info, link.address), bond)


async def information(link: Link) -> DeviceInfo:
    """What the meter says of itself. Raises LinkError: it was not read to the end."""
    return await device_info(link, lambda characteristic: _given(link, characteristic))


def identity(info: DeviceInfo, address: str) -> str:
    """16 hex digits of a valid System ID, else the 12 of the identity address."""
    return (info.system_id.hex() or address.replace(":", "")).upper()


async def _bond(link: Link) -> str:
    try:
        return await link.bond()
    except LinkError as error:
        raise LinkError(f"{link.address}: pairing failed: {_words(link, error)}") from error


def _words(link: Link, error: LinkError) -> str:
    """What went wrong, and the cure, for a technician."""
    if isinstance(error, BondError):
        if error.answered:
            return WRONG
        if error.asked:
            return UNANSWERED
    if not link.connected:
        return INTERRUPTED
    return f"{REFUSED} ({error})"


async def _given(link: Link, characteristic: UUID) -> bytes | None:
    """None for what the meter does not have, or answers with anything but a call for a bond."""
    if not link.has(characteristic):
        return None
    try:
        return await link.read(characteristic)
    except AttError as error:
        if error.bond_missing:
            raise
        return None
