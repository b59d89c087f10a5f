"""Who is subscribed to what, and who hears a value: as BlueZ does it, with its gaps.

Measured on BlueZ 5.66 and 5.82: a subscription belongs to a client of the bus and outlives the
link; a value is signalled once for each subscription, so two clients hear everything twice; with
none it is confirmed and gone. A link that ends before its services are resolved leaves dead
subscriptions behind: no error, and no value ever again, until they are stopped and started.
"""

from collections import defaultdict

from tests.fakes.bluez_objects import Characteristic, bluez_error


class Ears:
    def __init__(self) -> None:
        self._subscribed: defaultdict[str, set[str]] = defaultdict(set)
        self._dead: set[tuple[str, str]] = set()

    def heard_by(self, path: str) -> int:
        """How many subscriptions to that characteristic are alive."""
        return sum((path, each) not in self._dead for each in self._subscribed[path])

    def start(self, char: Characteristic, sender: str, connected: bool) -> None:
        """Raises DBusError for a second subscription that waits for the link."""
        if sender in self._subscribed[char.path] and not connected:
            raise bluez_error("InProgress", "In Progress")
        self._subscribed[char.path].add(sender)
        char.update(Notifying=True)

    def stop(self, char: Characteristic, sender: str) -> None:
        """Raises DBusError if there is no such subscription."""
        if sender not in self._subscribed[char.path]:
            raise bluez_error("Failed", "No notify session started")
        self._subscribed[char.path].discard(sender)
        self._dead.discard((char.path, sender))
        char.update(Notifying=bool(self._subscribed[char.path]))

    def say(self, char: Characteristic, octets: bytes) -> bool:
        """A value from the meter. False: confirmed, and nobody has heard it."""
        char.state["Value"] = octets
        ears = self.heard_by(char.path)
        for _ in range(ears):
            char.update(Value=octets)
        return ears > 0

    def aborted(self, device: str) -> None:
        """The link to that device ended before its services were resolved."""
        for path, senders in self._subscribed.items():
            if path.startswith(device + "/"):
                self._dead |= {(path, each) for each in senders}

    def gone(self, path: str) -> None:
        """The objects under that path have vanished."""
        for each in [each for each in self._subscribed if each.startswith(path + "/")]:
            del self._subscribed[each]
        self._dead = {pair for pair in self._dead if not pair[0].startswith(path + "/")}

    def left(self, sender: str) -> None:
        """That client has left the bus."""
        for senders in self._subscribed.values():
            senders.discard(sender)
        self._dead = {pair for pair in self._dead if pair[1] != sender}
