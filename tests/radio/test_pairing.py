"""First contact with the meters of the virtual home, and with one that will not have us."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest

from drivers.api import Bond, Frame, LinkError
from drivers.device_information import SYSTEM_ID
from drivers.sig_blood_pressure import DRIVER as CUFF
from drivers.sig_thermometer import DRIVER as THERMOMETER
from gateway.guests import BondError
from gateway.link import AttError
from gateway.pairing import introduce
from gateway.radio import Radio
from simulator.home import Home
from tests.radio.home import BLOOD_PRESSURE, MODEL, linked, take


async def test_a_meter_with_a_system_id_is_known_by_it(home: Home, radio: Radio) -> None:
    home.cuff.measure()
    async with linked(radio, home.cuff) as link:
        met = await introduce(link, CUFF)
        await link.subscribe(BLOOD_PRESSURE)
        assert len(await take(link, 1)) == 1
    assert met.identity == home.cuff.identity.system_id[::-1].hex().upper()
    assert met.bond == "just-works"
    assert (met.info.model, met.info.serial) == ("Cuff", home.cuff.identity.serial)


async def test_a_meter_without_one_is_known_by_its_address(home: Home, radio: Radio) -> None:
    home.thermometer.wake()
    async with linked(radio, home.thermometer) as link:
        met = await introduce(link, THERMOMETER)
    assert met.identity == "C01122334454"
    assert met.info.system_id == b""


async def test_no_bond_is_made_with_a_meter_that_needs_none(home: Home, radio: Radio) -> None:
    home.cuff.wake()
    async with linked(radio, home.cuff) as link:
        met = await introduce(link, replace(CUFF, bond=Bond.NONE))
        with pytest.raises(AttError):
            await link.subscribe(BLOOD_PRESSURE)
    assert met.bond == "none"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (LinkError("AuthenticationFailed"), "delete that pairing in the meter"),
        (BondError("failed", asked=True), "give them with --passkey"),
        (BondError("failed", asked=True, answered=True), "type what it shows then"),
    ],
)
async def test_a_bond_that_fails_is_told_in_words_for_a_technician(
    error: LinkError, words: str
) -> None:
    with pytest.raises(LinkError, match=words):
        await introduce(Unwilling(error), CUFF)


async def test_information_that_is_refused_is_as_good_as_absent() -> None:
    met = await introduce(Unwilling(read=AttError("no", 0x02)), CUFF)
    assert met.identity == "C00000000001"


async def test_nobody_is_introduced_by_half() -> None:
    for error in (LinkError("gone"), AttError("bond first", 0x0F)):
        with pytest.raises(LinkError):
            await introduce(Unwilling(read=error), CUFF)


FRAMES: list[Frame] = []


class Unwilling:
    """A Link to a meter that fails to bond, or to be read."""

    address = "C0:00:00:00:00:01"
    connected = True

    def __init__(self, bond: LinkError | None = None, read: LinkError | None = None) -> None:
        self._bond, self._read = bond, read

    def has(self, characteristic: UUID) -> bool:
        return characteristic in (MODEL, SYSTEM_ID)

    def writable(self, _: UUID) -> bool:
        return False

    async def bond(self) -> str:
        if self._bond:
            raise self._bond
        return "just-works"

    async def bonded(self) -> bool:
        return False

    async def read(self, characteristic: UUID) -> bytes:
        if self._read and characteristic == SYSTEM_ID:
            raise self._read
        return b"Model"

    async def write(self, *_: object, **__: object) -> None:
        raise LinkError("nobody writes at first contact")

    async def subscribe(self, *_: object, **__: object) -> None:
        raise LinkError("nobody subscribes at first contact")

    async def unsubscribe(self, *_: object, **__: object) -> None:
        raise LinkError("nobody subscribes at first contact")

    def rest(self) -> list[Frame]:
        return FRAMES

    async def frames(self) -> AsyncIterator[Frame]:
        for nothing in FRAMES:
            yield nothing
