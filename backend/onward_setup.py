"""From the file that says to whom readings are handed on, to the parties."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar

from backend.chores import Disk
from backend.fhir_server import FhirServer
from backend.fut import ledger, people
from backend.fut.api import Api, Servers
from backend.fut.measured import Rules
from backend.fut.people import People
from backend.fut.target import Fut, Pace
from backend.onward import File, Party, Target
from backend.onward_access import Access, Certificate, Token
from backend.onward_directory import Directory
from backend.onward_directory import load as load_directory
from backend.onward_files import FileUnusable, Watched
from backend.onward_http import Web
from backend.onward_parties import Filter
from backend.onward_settings import AnyParty, FutParty, OAuth, Onward, OnwardUnusable
from backend.onward_tls import Ending, context
from backend.store import Database, ToHandOn, open_database

P = ParamSpec("P")
T = TypeVar("T")


@asynccontextmanager
async def opened(settings: Onward, store: str | Path) -> AsyncIterator[Sequence[Party]]:
    """All parties, with a connection to *store* of their own for what they write down.

    Raises OnwardUnusable, StoreError and StoreUnusable.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every call
    async with AsyncExitStack() as stack:
        disk = stack.enter_context(_Disk(store))
        await disk(ledger.prepare)
        try:
            directory = _directory(settings.directory)
            parties = [
                await stack.enter_async_context(_party(each, directory, disk))
                for each in settings.party
            ]
        except (FileUnusable, OSError, ssl.SSLError) as error:
            raise OnwardUnusable(str(error)) from error
        yield parties


def _directory(path: Path | None) -> Watched[Directory] | None:
    return None if path is None else Watched(path, load_directory)


@asynccontextmanager
async def _party(
    settings: AnyParty, directory: Watched[Directory] | None, disk: Disk
) -> AsyncIterator[Party]:
    tls = context(settings.ca, settings.certificate, settings.key)
    where = {column: frozenset(values) for column, values in settings.where.items()}
    theirs = Filter(where, frozenset(settings.kinds))
    files: list[File] = [] if directory is None else [directory]
    if settings.certificate is not None:
        files.append(Ending(settings.certificate))

    def part(reading: ToHandOn) -> bytes | None:
        return theirs.part(reading, {} if directory is None else directory.value)

    async with Web(tls) as web, Web(tls) as tokens:
        access = _access(settings.oauth, tokens)
        target: Target = FhirServer(web, access, settings.base)
        if isinstance(settings, FutParty):
            known = Watched(settings.people, people.load)
            files.append(known)
            at = Servers(settings.careplan, settings.base, settings.plan, settings.task)
            target = _fut(settings, Api(web, access, at), disk, known)
        corrects = not isinstance(settings, FutParty)
        yield Party(settings.name, target, part, files, corrects)


def _access(oauth: OAuth | None, web: Web) -> Access:
    if oauth is None:
        return Certificate()
    grant = "client_credentials" if oauth.refresh_token is None else "refresh_token"
    fields = {"grant_type": grant, "client_id": oauth.client_id, **oauth.fields}
    if oauth.client_secret is not None:
        fields["client_secret"] = oauth.client_secret.read_text().strip()
    return Token(web, oauth.token_url, fields, oauth.refresh_token)


def _fut(settings: FutParty, api: Api, disk: Disk, known: Watched[People]) -> Fut:
    rules = Rules(
        version=settings.version,
        further_codings=settings.further_codings,
        unlabelled_glucose=settings.unlabelled_glucose,
        simulated=settings.simulated,
        max_age=timedelta(days=settings.max_age_days),
    )
    return Fut(settings.name, api, disk, lambda: known.value, rules, pace=Pace(settings.pause_s))


class _Disk:
    """A database, in the one thread that owns it."""

    def __init__(self, store: str | Path) -> None:
        self._database = open_database(store)
        self._thread = ThreadPoolExecutor(1, "onward")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self._database.close()

    async def __call__(
        self, do: Callable[Concatenate[Database, P], T], /, *args: P.args, **named: P.kwargs
    ) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: do(self._database, *args, **named))
