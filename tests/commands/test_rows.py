"""`hjemgate held` and `hjemgate parked`, from a meter's octets to a technician's word."""

from drivers.api import Frame
from tests.commands.terminal import hjemgate
from tests.control.desk import Desk
from tests.outbox.house import ANNA, BLOOD_PRESSURE, BODIL, House, cuff

NONSENSE = Frame(BLOOD_PRESSURE, b"\x1e\x01")


async def measure(house: House, *frames: Frame) -> None:
    """A cuff whose first user is Anna sends *frames*."""
    await house.session(await house.meter(slot=1), frames)
    await house.settle()


async def test_nothing_that_waits_is_said_in_words(desk: Desk) -> None:
    for state in ("held", "parked"):
        said = await hjemgate(state, "--socket", desk.socket)
        assert (said.code, said.out) == (0, f"Nothing is {state}.\n")


async def test_what_is_held_is_listed_with_the_reason(desk: Desk, house: House) -> None:
    await measure(house, cuff(user=2))
    said = await hjemgate("held", "--socket", desk.socket)
    row = said.out.splitlines()[1]
    assert row.startswith("r1 ")
    assert row.endswith("no person is bound to slot 2 of this meter")
    assert "blood pressure 44:51" in row
    (fact,) = (await hjemgate("held", "list", "--json", "--socket", desk.socket)).facts["rows"]
    assert (fact["row"], fact["slot"], fact["state"]) == ("r1", 2, "held")


async def test_a_reading_is_bound_and_goes_on_its_way(desk: Desk, house: House) -> None:
    await measure(house, cuff(user=2))
    bind = ("held", "bind", "r1", "--patient", BODIL.value, "--socket", desk.socket)
    assert (await hjemgate(*bind)).code == 64  # nobody there to ask
    said = await hjemgate(*bind, "--slot-also", "--yes")
    assert (said.code, said.out) == (0, "r1 bound.\n")
    await house.settle()
    (message,) = await house.due()
    assert BODIL.value.encode() in message.body


async def test_several_rows_are_released_at_once(desk: Desk, house: House) -> None:
    await measure(house, cuff(120, user=2), cuff(130, user=2))
    await house.meter(slot=2)
    said = await hjemgate("held", "release", "r1", "r2", "--yes", "--socket", desk.socket)
    assert said.out == "r1 released.\nr2 released.\n"
    await house.settle()
    bodies = [message.body for message in await house.due()]
    assert len(bodies) == 2
    assert all(ANNA.value.encode() in body for body in bodies)


async def test_what_was_done_before_a_refusal_is_said(desk: Desk, house: House) -> None:
    await measure(house, cuff(user=2))
    said = await hjemgate("held", "discard", "r1", "r9", "--yes", "--socket", desk.socket)
    assert (said.code, said.out) == (1, "r1 discarded.\n")
    assert "r9" in said.err
    assert await house.states() == ["ignored"]


async def test_a_row_is_named_as_the_lists_name_it(desk: Desk) -> None:
    said = await hjemgate("held", "release", "12", "--yes", "--socket", desk.socket)
    assert said.code == 64
    assert "r12 or f7" in said.err


async def test_parked_octets_are_listed_without_them_and_discarded(
    desk: Desk, house: House
) -> None:
    await measure(house, NONSENSE, cuff(user=1))
    said = await hjemgate("parked", "--socket", desk.socket)
    assert said.out.splitlines()[1].startswith("f1 ")
    assert NONSENSE.octets.hex() not in said.out
    facts = await hjemgate("parked", "discard", "f1", "--yes", "--json", "--socket", desk.socket)
    assert facts.facts == {"discarded": ["f1"]}
    assert await house.rows("SELECT octets FROM frames WHERE id = 1") == [(None,)]
