"""Radios that somebody else brings, by entry point: the virtual one of the simulator."""

import importlib.metadata
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from gateway.link import RadioError

GROUP = "hjemgate.radio"


class Plugin(Protocol):
    """What an entry point of the group names."""

    def open(
        self, adapter: str, state_dir: Path
    ) -> AbstractAsyncContextManager[tuple[type[Any], type[Any]]]:
        """The scanner and client classes that bleak takes as `backend=`, bound to *adapter*.

        Bonds are kept in *state_dir*. Raises ValueError, naming the cure, for a bad *adapter*;
        one that is absent is no error here: scanner and client try to reach it each time.
        """


def load(name: str) -> Plugin:
    """Raises RadioError if nobody brought a radio of that *name*."""
    found = importlib.metadata.entry_points(group=GROUP, name=name)
    if not found:
        raise RadioError(
            f'radio.backend: no radio is called "{name}" here; write "bluez", or run from a'
            " checkout of hjemgate for the virtual one"
        )
    try:
        plugin: Plugin = next(iter(found)).load()
    except (ImportError, AttributeError) as error:
        raise RadioError(
            f'radio.backend: "{name}" is not complete here ({error}); install the simulator'
            ' extra in a checkout of hjemgate, or write "bluez"'
        ) from error
    return plugin
