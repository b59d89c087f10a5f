"""A receiver that breaks two promises: it loses its third reading, and has its fifth twice.

It says `stored` of both. Run as `python -m tests.demo.careless_receiver`, with the options of the
reference receiver.
"""

import asyncio
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from backend import arguments, cli
from backend.receiver import Receiver
from backend.store import Delivery, Refusal, Store, Verdict, open_database

LOSES, DOUBLES = 3, 5


class CarelessStore(Store):
    """Counts what it is given; everything else it does well."""

    count = 0

    def keep(self, messages: Sequence[Delivery | Refusal], now: datetime) -> list[Verdict]:
        return [self._careless(message, now) for message in messages]

    def _careless(self, message: Delivery | Refusal, now: datetime) -> Verdict:
        self.count += 1
        if self.count == LOSES:
            return Verdict("stored")
        if self.count == DOUBLES and isinstance(message, Delivery):
            super().keep([replace(message, id=UUID(int=self.count))], now)
        return super().keep([message], now)[0]


def main() -> None:
    """The reference receiver's program, with another memory."""
    settings = arguments.settings(arguments.parser().parse_args(["run", *sys.argv[1:]]))
    logging.basicConfig(level=logging.INFO)
    if settings.export is not None:
        settings.export.mkdir(exist_ok=True)
    store = CarelessStore(open_database(settings.store))
    try:
        asyncio.run(cli.until_told(Receiver(settings, store, cli.context(settings)).run()))
    finally:
        store.close()


if __name__ == "__main__":
    main()
