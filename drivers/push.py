"""How a meter is read that sends its records by itself: listen; every frame is a reading."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from drivers.api import DecodeError, Frame, Reading, Session
from drivers.common import battery, read_clock, set_clock

SILENCE_S = 5.0  # silent for this long, it has sent its last record
LONGEST = 128  # octets: the longest frame of these profiles has 20; a few more may follow one day

Decoder = Callable[[bytes], Reading]


def listen(
    *characteristics: UUID, silence_s: float = SILENCE_S, set_first: bool = False
) -> Callable[[Session], Awaitable[None]]:
    """The conversation: subscribe, hear everything out, then set the clock.

    Subscribed first, for the meter does not wait; the clock is read while it sends. If it hangs
    up, all that it had to say is on disk: the ordinary end. *set_first*: for a meter that wants
    its clock set before it sends; the set ends one span of its clock and begins the next, so that
    older records keep their time.
    """

    async def converse(session: Session) -> None:
        await session.subscribe(*characteristics)
        clock = await read_clock(session)
        if set_first:
            await set_clock(session, clock)
        async for _ in session.frames(silence_s):
            pass
        if session.connected:
            if not set_first:
                await set_clock(session, clock)
            await battery(session)

    return converse


def decode_each(decoders: Mapping[UUID, Decoder]) -> Callable[[Sequence[Frame]], Sequence[Reading]]:
    """Decode every frame by its characteristic."""

    def decode(frames: Sequence[Frame]) -> Sequence[Reading]:
        return [decoder(decoders, frame)(frame.octets) for frame in frames]

    return decode


def frame_key(
    characteristic: UUID, decoder: Decoder
) -> Callable[[Sequence[Frame], Reading], bytes | None]:
    """The key of a record without a number: the characteristic and all its octets."""

    def key(frames: Sequence[Frame], reading: Reading) -> bytes | None:
        for frame in frames:
            if frame.characteristic == characteristic and decoder(frame.octets) == reading:
                return characteristic.bytes + frame.octets
        return None

    return key


def decoder(decoders: Mapping[UUID, Decoder], frame: Frame) -> Decoder:
    """The one for this frame. Raises DecodeError if the driver has none, or it is absurdly long."""
    if (found := decoders.get(frame.characteristic)) is None:
        raise DecodeError(f"characteristic {frame.characteristic} is none that this driver reads")
    if len(frame.octets) > LONGEST:
        raise DecodeError(f"need at most {LONGEST} octets, got {len(frame.octets)}")
    return found
