"""The receiver's own way to a FHIR server: its judgement, its store, its queue, its HTTP."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Concatenate, ParamSpec, TypeVar

from backend.fhir_server import FhirServer
from backend.onward import Pace, Party, hand_on
from backend.onward_access import Certificate
from backend.onward_http import Web
from backend.store import Database, Delivery, Store, onward
from gateway.fhir import render
from gateway.model import Message, Record
from tests.backend.parts import delivered

P = ParamSpec("P")
T = TypeVar("T")

BRISK = Pace(per_second=1000, grace=timedelta(0), look_s=0.01)
PATIENCE_S = 120


@dataclass
class Receiver:
    """Hands on to the server at *base*. The gateway's numbers are those of arrival."""

    store: Store
    base: str
    arrived: int = field(default=0, init=False)

    async def take(self, *records: Record) -> list[tuple[int, str, str]]:
        """Keep them in this order and hand on all that waits.

        Returns of each that the gateway would be told of: version, status, reason.
        """
        self.store.keep([self._delivery(record) for record in records], datetime.now(UTC))
        async with asyncio.timeout(PATIENCE_S), Web() as web:
            clinic = Party("clinic", FhirServer(web, Certificate(), self.base))
            handing = asyncio.create_task(hand_on(self._disk, [clinic], BRISK))
            while self._waiting():
                assert not handing.done()
                await asyncio.sleep(0.01)
            handing.cancel()
            await asyncio.wait([handing])
        return self._told()

    def _delivery(self, record: Record) -> Delivery:
        self.arrived += 1
        body = render(record)
        message = Message(
            row=self.arrived,
            id=record.id,
            version=record.version,
            epoch="e1",
            seq=self.arrived,
            taken_at=record.effective,
            late=False,
            sha256=sha256(body).hexdigest(),
            body=body,
            attempt=1,
        )
        return delivered(message, record.gateway.id)

    async def _disk(
        self, do: Callable[Concatenate[Database, P], T], /, *args: P.args, **named: P.kwargs
    ) -> T:
        return do(self.store.database, *args, **named)

    def _waiting(self) -> bool:
        return bool(self.store.database.execute("SELECT 1 FROM onward WHERE state = 'waiting'"))

    def _told(self) -> list[tuple[int, str, str]]:
        outcomes = onward.untold(self.store.database, 100)
        onward.told(self.store.database, outcomes, datetime.now(UTC))
        rows = self.store.database.execute("SELECT sha256, version FROM reading")
        versions = {str(digest): int(version) for digest, version in rows}
        return [(versions[each.sha256], each.status, each.reason or "") for each in outcomes]
