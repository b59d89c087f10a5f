"""The calls by which the listener subscribes: StartNotify, StopNotify, and what it asks the bus."""

import logging

from drivers.api import LinkError
from gateway.link import Counters
from gateway.radio.bluez import CHARACTERISTIC, Bluez, BluezError
from gateway.radio.held import Held

log = logging.getLogger(__name__)

IN_PROGRESS = "org.bluez.Error.InProgress"  # subscribed already, and waiting for the link


class Subscriptions:
    def __init__(self, bluez: Bluez, counters: Counters) -> None:
        self._bluez, self._counters = bluez, counters

    async def arm(self, held: Held) -> None:
        """Stop before start: after a link that was cut early, a subscription is dead in silence."""
        try:
            async with held.lock:
                if held.released and held.connected:
                    return
                for path in held.chosen():
                    if path not in held.armed:
                        await self.stop(held, path)
                        await self.start(held, path)
                        self._counters.rearms += 1
        except LinkError as error:
            self.failed(held, error)

    async def start(self, held: Held, path: str) -> None:
        """Raises LinkError."""
        try:
            await self._bluez.call(path, CHARACTERISTIC, "StartNotify")
        except BluezError as error:
            if error.name != IN_PROGRESS:
                raise
        held.armed.add(path)

    async def stop(self, held: Held, path: str) -> None:
        """Raises LinkError, but not for what is no subscription, or no object, any more."""
        held.armed.discard(path)
        try:
            await self._bluez.call(path, CHARACTERISTIC, "StopNotify")
        except BluezError as error:
            log.debug("%s: %s", held.address, error)

    async def watch(self, held: Held) -> None:
        for rule in held.rules:
            await self._bluez.watch(rule)

    async def unwatch(self, held: Held) -> None:
        for rule in held.rules:
            await self._bluez.unwatch(rule)

    async def move(self, held: Held, path: str) -> None:
        """BlueZ knows the meter by another path now."""
        await self.unwatch(held)
        held.path = path
        held.found.clear()
        held.armed.clear()
        await self.watch(held)

    def failed(self, held: Held, error: LinkError) -> None:
        """It is tried again: at the next disconnect, power, bluetoothd or session."""
        self._counters.listener_errors += 1
        log.warning("meter ..%s: cannot listen to it for now: %s", held.address[-5:], error)
