"""A connection to the stand-in, over a real store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.fut import ledger
from backend.fut.api import Api, Servers
from backend.fut.measured import Rules
from backend.fut.target import Fut, Pace
from backend.onward_access import Certificate, Token
from backend.onward_http import Rest, Web
from backend.store import Database, ToHandOn
from gateway.fhir import render
from gateway.model import Record
from tests.fhir.records import CASES
from tests.fut import standin
from tests.fut.plans import CITIZEN, PERSON

PARTY = "fut"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)  # soon after the readings of tests/fhir/records


def to_hand_on(what: str | Record, version: int = 1, attempts: int = 0) -> ToHandOn:
    record = replace(CASES[what] if isinstance(what, str) else what, version=version)
    return ToHandOn(
        position=1,
        id=record.id,
        version=version,
        sha256="",
        organisation="org1",
        gateway="gw-0123456789",
        epoch="e1",
        body=render(record),
        attempts=attempts,
    )


class Disk:
    """The database, in the thread of the test."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def __call__(self, do: Any, /, *arguments: Any, **named: Any) -> Any:
        return do(self.database, *arguments, **named)


@asynccontextmanager
async def connected(
    fut: standin.Fut, disk: Disk, settling_s: float = 0.0, rules: Rules | None = None
) -> AsyncIterator[Fut]:
    """One receiver's connection."""
    ledger.prepare(disk.database)
    web = Web(call_s=30, rest=Rest(first_s=0))
    async with web:
        fields = {"grant_type": "client_credentials", "client_id": "receiver"}
        access = Token(web, f"{fut.base}/token", fields) if fut.wants_token else Certificate()
        yield Fut(
            party=PARTY,
            api=Api(web, access, Servers(fut.base, fut.base, fut.base, fut.base)),
            disk=disk,
            people=lambda: {CITIZEN: PERSON},
            rules=rules or Rules(),
            settling=timedelta(seconds=settling_s),
            pace=Pace(0),
            now=lambda: NOW,
        )
