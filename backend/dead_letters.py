"""`hjemgate-receiver dead-letters`: what could not be taken, or not handed on."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from backend.commands import ATTENTION, OK, Failure, print_json, when
from backend.store import Database, DeadLetter, looks, onward
from backend.store import dead_letters as letters
from backend.store.looks import Undeliverable
from backend.terminal import say


def dead_letters(db: Database, args: argparse.Namespace) -> int:
    show, discard = args.show, args.discard
    if args.again:
        print(f"{onward.again(db, datetime.now(UTC))} readings are to be handed on once more.")
    elif discard is not None:
        if not letters.discard(db, discard):
            raise Failure(f"there is no dead letter {discard}", ATTENTION)
        print(f"Dead letter {discard} is forgotten.")
    elif show is not None:
        if (body := letters.body(db, show)) is None:
            raise Failure(f"there is no dead letter {show} with octets", ATTENTION)
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
    elif args.json:
        rows = [asdict(each) for each in letters.listed(db)]
        not_taken = [asdict(each) for each in looks.undeliverable(db)]
        print_json({"dead_letters": rows, "undeliverable": not_taken})
    else:
        _list(letters.listed(db), looks.undeliverable(db))
    return OK


def _list(found: Sequence[DeadLetter], undeliverable: Sequence[Undeliverable]) -> None:
    for each in found:
        say(
            f"{each.number}  {when(each.last_at)}  {each.topic}  {each.deliveries} times:"
            f" {each.reason}"
        )
    print("--show N: the octets; --discard N: forget it" if found else "No dead letters.")
    if undeliverable:
        print("\nHeld here; could not be handed on (--again: try all of them once more):")
    for reading in undeliverable:
        say(
            f"{when(reading.at)}  {reading.gateway}  {reading.id} version {reading.version}:"
            f" {reading.reason}"
        )
