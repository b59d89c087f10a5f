"""What is due to be handed on, and handing it on by hand."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from backend.store import Store, ToHandOn, parties
from backend.store.due import Due
from tests.backend.parts import LATER

GRACE = timedelta(seconds=60)
ALONE, BOTH = ["alone"], ["practice", "region"]


def due(
    store: Store,
    now: datetime = LATER,
    party: str = "alone",
    names: Sequence[str] = ALONE,
    corrects: bool = True,
) -> ToHandOn | None:
    parties.share(store.database, names, 0, now)
    return Due(party, GRACE, corrects).next(store.database, now)


def order(
    store: Store, now: datetime = LATER, party: str = "alone", names: Sequence[str] = ALONE
) -> list[tuple[str, int]]:
    """Hand everything on that is due: gateways and numbers."""
    found = []
    while (each := due(store, now, party, names)) is not None:
        (row,) = store.database.execute(
            "SELECT gateway, seq FROM reading WHERE sha256 = ?", each.sha256
        )
        found.append(row)
        parties.settle(store.database, names, party, each.position, "delivered", None, now)
    return found


def settle(store: Store, reading_: ToHandOn, end: parties.End) -> None:
    parties.settle(store.database, ALONE, "alone", reading_.position, end, None, LATER)
