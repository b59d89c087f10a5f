"""`hjemgate-receiver withdraw`: a reading was sent in error; its gateway is to say so to all."""

import argparse
from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID

from backend.commands import ATTENTION, NO_ANSWER, OK, USAGE, Failure, print_json, waited
from backend.store import Database, asks
from backend.store.asks import Withdrawal

LEAST = 6  # characters of an id


def withdraw(db: Database, args: argparse.Namespace) -> int:
    """Leaves an order in the store, and waits for what the gateway says to it."""
    name, organisation, gateway = _reading(db, args.reading)
    wanted = Withdrawal(name, args.undo)
    ask = asks.make(db, organisation, gateway, wanted, datetime.now(UTC))
    answer = waited(db, ask, args.wait)
    if args.json:
        print_json({"id": ask} | ({} if answer is None else asdict(answer)))
        return OK if answer is not None and answer.status == "done" else ATTENTION
    if answer is None:
        print(NO_ANSWER)
        return ATTENTION
    if answer.status != "done":
        raise Failure(f"{gateway}: {answer.status}: {answer.reason}", ATTENTION)
    print(f"{gateway} sends it again, {'in force' if args.undo else 'as entered in error'}.")
    return OK


def _reading(db: Database, beginning: str) -> tuple[UUID, str, str]:
    """Its id, and who sent its newest version. Raises Failure."""
    given = beginning.lower()
    if len(given) < LEAST or not set(given) <= set("0123456789abcdef-"):
        raise Failure(f"expected the id of a reading, or how it begins ({LEAST} or more)", USAGE)
    rows = db.execute(
        "SELECT id, organisation, gateway FROM reading WHERE id >= ? AND id < ?"
        " AND contents NOT LIKE 'device %' ORDER BY number DESC LIMIT 1000",
        *(given, given + "g"),  # after every hex digit and the hyphen
    )
    if not rows:
        raise Failure(f"no reading here has an id that begins with {given}", ATTENTION)
    if len({name for name, *_ in rows}) > 1:
        raise Failure(f"several readings begin with {given}: give more of it", ATTENTION)
    name, organisation, gateway = rows[0]
    return UUID(name), organisation, gateway
