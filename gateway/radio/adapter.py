"""BlueZ's adapter: what it says of itself, what may be wrong with it, and what can be done."""

import asyncio
import time
from pathlib import Path
from typing import Any

from bleak.backends.bluezdbus import manager
from dbus_fast import Variant

from drivers.api import LinkError
from gateway.link import Limits
from gateway.radio.bluez import ADAPTER, Bluez
from gateway.radio.healing import Rung

DARK_S = 1.0  # between power off and on again, for the controller to notice


class Adapter:
    def __init__(self, bluez: Bluez, path: str, limits: Limits, restart_file: Path | None) -> None:
        """*restart_file*: packaging/hjemgate-bluetooth-restart.path waits for it."""
        self._bluez, self._path, self._limits = bluez, path, limits
        self._restart_file = restart_file
        self._facts: dict[str, Any] = {}  # empty: it is not there
        self._wrong: dict[str, float] = {}  # what is wrong, and since when

    def is_now(self, facts: dict[str, Any]) -> None:
        self._facts = dict(facts)

    def changed(self, facts: dict[str, Any]) -> bool:
        """Whether it has power again: subscriptions from before may be dead."""
        risen = bool(facts.get("Powered")) and not self._facts.get("Powered")
        self._facts |= facts
        return risen

    def ailment(self, scanning: bool) -> tuple[str, Rung] | None:
        """What has been wrong for long enough, if anything."""
        now = time.monotonic()
        symptom = self._symptom(scanning)
        if symptom is None:
            self._wrong = {}
            return None
        what, patience_s, rung = symptom
        self._wrong = {what: self._wrong.get(what, now)}
        return (what, rung) if now - self._wrong[what] >= patience_s else None

    def _symptom(self, scanning: bool) -> tuple[str, float, Rung] | None:
        if not self._bluez.present:
            return "bluetoothd is gone", self._limits.gone_s, Rung.RESTART
        if self._facts.get("Powered") is False:
            return "the adapter has no power", self._limits.dark_s, Rung.POWER_CYCLE
        if scanning and self._facts.get("Discovering") is False:
            return "the adapter has stopped scanning", self._limits.deaf_s, Rung.RESCAN
        return None

    async def cure(self, rung: Rung) -> None:
        """Raises LinkError."""
        match rung:
            case Rung.REBUILD:
                rebuild()
            case Rung.POWER_CYCLE:
                await self._power_cycle()
            case Rung.RESTART:
                self._ask_for_restart()

    async def _power_cycle(self) -> None:
        await self._bluez.put(self._path, ADAPTER, "Powered", Variant("b", False))
        await asyncio.sleep(DARK_S)
        await self._bluez.put(self._path, ADAPTER, "Powered", Variant("b", True))

    def _ask_for_restart(self) -> None:
        if self._restart_file is None:
            raise LinkError("nobody was named who would restart bluetoothd")
        if self._restart_file.exists():
            raise LinkError(
                f"{self._restart_file} is there already and nobody has acted on it: is"
                " hjemgate-bluetooth-restart.path enabled?"
            )
        try:
            self._restart_file.touch()
        except OSError as error:
            raise LinkError(f"{self._restart_file}: {error.strerror}") from error


def rebuild() -> None:
    """Make bleak begin anew with BlueZ. Its scanners from before must not be touched any more.

    bleak does not notice that bluetoothd has gone: what it remembers of devices, links among them,
    stays as it was. It does notice the loss of its own connection to the bus, and then tells its
    clients; so that connection is cut, and what it belonged to is replaced (bleak 3.1,
    bluezdbus/manager.py).
    """
    known = manager._global_instances.pop(asyncio.get_running_loop(), None)  # noqa: SLF001  # as above
    if known is not None and known._bus is not None:  # noqa: SLF001  # as above
        known._bus.disconnect()  # noqa: SLF001  # as above
