"""How a glucose meter's memory is read: ask for what is new, and believe only success."""

from datetime import timedelta

import pytest

from drivers.api import Frame, LinkError
from drivers.common import BATTERY_LEVEL
from drivers.sig_glucose import DRIVER
from drivers.sig_racp import RACP
from tests.drivers.fakes import NOW, FakeSession, GlucoseMemory, with_clock


def meter(
    memory: GlucoseMemory, cursor: int | None = None, mark: bytes | None = None
) -> FakeSession:
    session = FakeSession(cursor=cursor, mark=mark)
    memory.attach(session)
    return session


def requests(session: FakeSession) -> list[str]:
    return [line.removeprefix("write 2A52 ") for line in session.log if "write 2A52" in line]


async def test_a_first_contact_reads_everything_clock_first_and_battery_last() -> None:
    session = meter(GlucoseMemory([1, 2, 3]))
    session.values[BATTERY_LEVEL] = b"\x32"
    session.offers.add(BATTERY_LEVEL)
    with_clock(session, NOW - timedelta(hours=1))
    await DRIVER.converse(session)
    assert session.log == [
        "read 2A2B",
        "subscribe 2A18",
        "subscribe 2A34",
        "subscribe 2A52",
        "write 2A52 0101",
        "listen 30",
        "listen 0.2",
        "write 2A2B ea070b16081e00070001",
        "read 2A2B",
        "read 2A19",
    ]
    assert session.recorded[1:] == [("advance", 3), ("clock-set", NOW), ("battery", 50)]


async def test_a_meter_without_context_is_not_asked_for_it() -> None:
    session = FakeSession()
    GlucoseMemory([1]).attach(session, context=False)
    await DRIVER.converse(session)
    assert [line for line in session.log if "subscribe" in line] == [
        "subscribe 2A18",
        "subscribe 2A52",
    ]


async def test_a_later_contact_reads_from_the_cursor_on() -> None:
    session = meter(GlucoseMemory(range(1, 301)), cursor=298)
    await DRIVER.converse(session)
    assert requests(session) == ["0103012a01"]
    assert session.recorded == [("advance", 300)]


async def test_nothing_new_is_no_error_and_moves_nothing() -> None:
    memory = GlucoseMemory([1, 2, 3])
    await DRIVER.converse(first := meter(memory))
    session = meter(memory, first.cursor, first.mark)
    await DRIVER.converse(session)
    assert requests(session) == ["0103010300"]
    assert session.recorded == []


async def test_an_empty_meter_is_no_error() -> None:
    session = meter(GlucoseMemory([]))
    await DRIVER.converse(session)
    assert session.recorded == []


async def test_a_meter_that_started_again_is_read_in_full() -> None:
    session = meter(GlucoseMemory([0, 1]), cursor=900)
    await DRIVER.converse(session)
    assert requests(session) == ["0103018403", "0101"]
    assert session.recorded == [("advance", 1)]


async def test_a_meter_that_started_again_and_is_past_the_cursor_is_read_in_full() -> None:
    await DRIVER.converse(first := meter(GlucoseMemory([1, 2])))
    again = GlucoseMemory((n, NOW + n * timedelta(hours=1)) for n in range(4))
    session = meter(again, first.cursor, first.mark)
    await DRIVER.converse(session)
    assert requests(session) == ["0103010200", "0101"]
    assert session.recorded == [("advance", 3)]


async def test_a_meter_whose_memory_went_round_past_the_cursor_is_read_in_full() -> None:
    session = meter(GlucoseMemory([7, 8, 9]), cursor=5)
    await DRIVER.converse(session)
    assert requests(session) == ["0103010500", "0101"]
    assert session.recorded == [("advance", 9)]


async def test_a_cursor_without_a_mark_learns_it() -> None:
    session = meter(GlucoseMemory([3]), cursor=3)
    await DRIVER.converse(session)
    assert requests(session) == ["0103010300"]
    assert session.recorded == [("advance", 3)]
    assert session.mark is not None


@pytest.mark.parametrize(
    ("memory", "newest"),
    [([65534, 65535], 65535), ([65534, 65535, 0, 1], 1), ([65535, 1, 2], 2)],
    ids=["last number", "past it", "past it without a zero"],
)
async def test_after_the_last_number_everything_is_read(memory: list[int], newest: int) -> None:
    session = meter(GlucoseMemory(memory), cursor=65534)
    await DRIVER.converse(session)
    assert requests(session)[-1] == "0101"
    assert session.recorded == [("advance", newest)]


async def test_a_meter_that_sends_its_newest_record_first_gets_no_cursor() -> None:
    session = meter(GlucoseMemory([3, 2, 1]), cursor=1)
    await DRIVER.converse(session)
    assert session.recorded == [("advance", None)]


async def test_a_meter_that_counts_from_the_newest_record_gets_no_cursor() -> None:
    hour = timedelta(hours=1)
    session = meter(GlucoseMemory((n, NOW - n * hour) for n in (1, 2, 3)), cursor=None)
    await DRIVER.converse(session)
    assert session.recorded == []


async def test_records_that_overtake_the_answer_are_counted() -> None:
    memory = GlucoseMemory([1, 2, 3])
    session = meter(memory)

    def answer_first(at: FakeSession, request: bytes) -> None:
        memory.answer(at, request)
        at.queue.rotate(1)

    session.answers[RACP] = answer_first
    await DRIVER.converse(session)
    assert session.recorded == [("advance", 3)]


@pytest.mark.parametrize("code", [2, 3, 4, 5, 9])
async def test_a_meter_that_cannot_filter_is_read_in_full(code: int) -> None:
    memory = GlucoseMemory([1, 2, 3])
    session = meter(memory, cursor=1)

    def refuse_filters(at: FakeSession, request: bytes) -> None:
        if request[1] == 3:
            at.queue.append(Frame(RACP, bytes((6, 0, 1, code))))
        else:
            memory.answer(at, request)

    session.answers[RACP] = refuse_filters
    await DRIVER.converse(session)
    assert requests(session) == ["0103010100", "0101"]
    assert session.recorded == [("advance", 3)]


@pytest.mark.parametrize("code", [2, 7, 8, 77])
async def test_a_procedure_that_did_not_succeed_moves_no_cursor(code: int) -> None:
    memory = GlucoseMemory([1, 2, 3])
    memory.ends_with = code
    session = meter(memory)
    with pytest.raises(LinkError, match=f"response code {code}"):
        await DRIVER.converse(session)
    assert session.recorded == []


async def test_records_before_the_word_that_there_are_none_move_no_cursor() -> None:
    memory = GlucoseMemory([1, 2, 3])
    memory.ends_with = 6
    session = meter(memory)
    await DRIVER.converse(session)
    assert session.recorded == []


async def test_a_meter_that_falls_silent_half_way_moves_no_cursor() -> None:
    memory = GlucoseMemory([1, 2, 3])
    memory.stops_after = 3
    session = meter(memory)
    with pytest.raises(LinkError, match="silent"):
        await DRIVER.converse(session)
    assert session.recorded == []
    assert session.log[-2:] == ["write 2A52 0300", "listen 1"]


async def test_a_meter_that_hangs_up_half_way_moves_no_cursor() -> None:
    memory = GlucoseMemory([1, 2, 3])
    memory.hangs_up_after = 3
    session = meter(memory)
    with pytest.raises(LinkError, match="hung up"):
        await DRIVER.converse(session)
    assert session.recorded == []


@pytest.mark.parametrize("stray", ["0600", "06000401", "0500 0300", ""])
async def test_only_the_answer_to_this_request_ends_it(stray: str) -> None:
    memory = GlucoseMemory([1, 2])
    session = meter(memory)

    def stray_first(at: FakeSession, request: bytes) -> None:
        at.queue.append(Frame(RACP, bytes.fromhex(stray)))
        memory.answer(at, request)

    session.answers[RACP] = stray_first
    await DRIVER.converse(session)
    assert session.recorded == [("advance", 2)]


async def test_a_record_that_cannot_be_decoded_still_counts_as_given() -> None:
    memory = GlucoseMemory([1, 2])
    memory.frames[3] = [Frame(memory.frames[1][0].characteristic, b"\x02\x03\x00\xff")]
    session = meter(memory)
    await DRIVER.converse(session)
    assert session.recorded == [("advance", 3)]
