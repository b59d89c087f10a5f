"""First contact: bond with a meter and learn who it is, once, to be frozen."""

from dataclasses import dataclass
from uuid import UUID

from drivers.api import Bond, DeviceInfo, Driver, LinkError
from drivers.common import device_info
from gateway.link import AttError, Link


@dataclass(frozen=True, slots=True)
class Introduction:
    """Who a meter is. `identity` never changes afterwards, whatever the meter says later."""

    info: DeviceInfo
    identity: str
    bond: str  # how: "just-works", or "none"


async def introduce(link: Link, driver: Driver) -> Introduction:
    """Bond if *driver* wants it, and read the device information.

    Raises LinkError: nothing may be kept of a meter whose bond failed, nor of one whose
    information was read in part, for its identity hangs on it.
    """
    bond = "none"
    if driver.bond is Bond.REQUIRED:
        await _bond(link)
        bond = "just-works"
    info = await device_info(lambda characteristic: _given(link, characteristic))
    return Introduction(info, identity(info, link.address), bond)


def identity(info: DeviceInfo, address: str) -> str:
    """16 hex digits of a valid System ID, else the 12 of the identity address."""
    return (info.system_id.hex() or address.replace(":", "")).upper()


async def _bond(link: Link) -> None:
    try:
        await link.bond()
    except LinkError as error:
        raise LinkError(
            f"{link.address}: pairing failed ({error}). Keep the meter close, put it into pairing"
            " mode as its manual says, delete its old pairing there if it has one, and try again"
        ) from error


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
