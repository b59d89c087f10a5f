"""A receiver that breaks two promises: it loses its third reading, and has its fifth twice.

It says `stored` of both. Run as `python -m tests.demo.careless_receiver`, with the options of the
reference receiver.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from backend import receiver
from backend.store import Delivery, Refusal, Store, Verdict

LOSES, DOUBLES = 3, 5


class CarelessStore(Store):
    """Counts what it is given; everything else it does well."""

    count = 0

    def keep(self, messages: Iterable[Delivery | Refusal], now: datetime) -> list[Verdict]:
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
    settings = receiver._settings(None)
    logging.basicConfig(level=logging.INFO)
    if settings.export is not None:
        settings.export.mkdir(exist_ok=True)
    store = CarelessStore(settings.store)
    try:
        asyncio.run(
            receiver._until_told(
                receiver.Receiver(settings, store, receiver._context(settings)),
            )
        )
    finally:
        store.close()


if __name__ == "__main__":
    main()
