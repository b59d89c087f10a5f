"""Which readings are a party's: each gets what is its own, and nothing else.

A reading is theirs by the organisation in its topic, or by what the directory says of that; and by
its kinds of measurement.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.onward_directory import Directory
from backend.onward_kinds import only
from backend.store import ToHandOn

ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Filter:
    """*where*: by `organisation`, or a column of the directory, one of these values; all must fit.

    *kinds*: of measurement; all if empty. Without *where* nothing is theirs.
    """

    where: Mapping[str, frozenset[str]]
    kinds: frozenset[str] = frozenset()

    def part(self, reading: ToHandOn, directory: Directory) -> bytes | None:
        """What of the reading is theirs; None if nothing is."""
        known = {**directory.get(reading.organisation, {}), ORGANISATION: reading.organisation}
        if not self.where or any(known.get(c) not in values for c, values in self.where.items()):
            return None
        return only(reading.body, self.kinds) if self.kinds else reading.body
