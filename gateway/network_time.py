"""Whether the system says that its clock is synchronised, be it by timesyncd, chrony or another.

Asked of systemd-timedated (org.freedesktop.timedate1, property NTPSynchronized) where there is a
system bus; a box without either has timesyncd's flag, see `clock`. The property sends no signal,
so it is asked again and again until it is true.
"""

import asyncio
import logging

from dbus_fast import AuthError, BusType, DBusError, Message, MessageType
from dbus_fast.aio import MessageBus

from gateway.clock import OurClock

log = logging.getLogger(__name__)

NAME = "org.freedesktop.timedate1"
PATH = "/org/freedesktop/timedate1"
ANSWER_S = 30.0  # the service is started by the question; on a slow box that takes a while
PAUSE_S = 30.0


async def watch(ours: OurClock) -> None:
    """Tell *ours* as soon as the system's clock is synchronised; then end."""
    while ours.source not in ("assumed", "ntp"):
        if await synchronised():
            log.info("the system's clock is synchronised")
            ours.believe_network()
            return
        await asyncio.sleep(PAUSE_S)


async def synchronised() -> bool:
    """What timedated says now; False if nobody can be asked."""
    bus = MessageBus(bus_type=BusType.SYSTEM)
    question = Message(
        destination=NAME,
        path=PATH,
        interface="org.freedesktop.DBus.Properties",
        member="Get",
        signature="ss",
        body=[NAME, "NTPSynchronized"],
    )
    try:
        async with asyncio.timeout(ANSWER_S):
            await bus.connect()
            answer = await bus.call(question)
    except (AuthError, DBusError, OSError, EOFError) as error:  # a time limit is an OSError, too
        log.debug("timedated cannot be asked: %s", error)
        return False
    finally:
        bus.disconnect()
    if answer is None or answer.message_type is not MessageType.METHOD_RETURN:
        return False
    return answer.body[0].value is True
