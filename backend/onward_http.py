"""One party's HTTP: what came back, or that nothing did.

Whether a call that failed may have had an effect decides what is done next, so the two ways of
failing are told apart.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from backend.onward import TryAgain
from backend.onward_json import Json, octets, parsed, parts, word

try:
    import httpx
except ImportError as error:
    raise ImportError("handing on needs httpx: pip install 'hjemgate[receiver-onward]'") from error

CALL_S = 60.0  # for one call, whole; FUT's own example took half a second
REST_S, REST_CAP_S = 1.0, 120.0  # after a failure nothing is called for so long, then twice that
MAX_ANSWER = 4_194_304  # octets

FHIR = "application/fhir+json"


class NotSent(TryAgain):
    """The call cannot have had an effect."""


class NoAnswer(TryAgain):
    """It went out, and what became of it is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body`: None if it was not a JSON object, whole."""

    status: int
    body: Json | None

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    def issues(self) -> list[Json]:
        """Of an OperationOutcome."""
        body = self.body or {}
        return parts(body, "issue") if word(body, "resourceType") == "OperationOutcome" else []

    def errors(self) -> list[Json]:
        return [issue for issue in self.issues() if word(issue, "severity") in {"error", "fatal"}]


@dataclass(slots=True)
class Rest:
    """After a failure a party is left in peace, so that it does not hold up the others."""

    first_s: float = REST_S
    failures: int = 0
    until: float = 0.0

    def failed(self, now: float, wanted_s: float = 0.0) -> None:
        own_s = min(REST_CAP_S, self.first_s * 2 ** min(self.failures, 20))
        self.failures += 1
        self.until = now + max(own_s, min(wanted_s, REST_CAP_S))

    def worked(self) -> None:
        self.failures, self.until = 0, 0.0


@dataclass(slots=True)
class Web:
    """Calls as one party; `async with`. *tls*: with our certificate where mTLS is asked for."""

    tls: ssl.SSLContext | bool = True
    call_s: float = CALL_S
    rest: Rest = field(default_factory=Rest)
    _client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        limits = httpx.Limits(max_connections=4)
        self._client = httpx.AsyncClient(
            verify=self.tls, trust_env=False, limits=limits, timeout=httpx.Timeout(self.call_s)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def send(self, url: str, resource: Json, headers: Mapping[str, str]) -> Answer:
        """POST it. Raises NotSent and NoAnswer; never follows a redirection."""
        return await self._call(
            "POST", url, {**headers, "Content-Type": FHIR, "Accept": FHIR}, content=octets(resource)
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST these octets of FHIR."""
        headers = {**headers, "Content-Type": FHIR, "Accept": FHIR}
        return await self._call("POST", url, headers, content=body)

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        return await self._call("GET", url, {**headers, "Accept": FHIR})

    async def search(
        self, url: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> Answer:
        """By POST: who is looked for stands in no address, and so in nobody's log."""
        headers = {**headers, "Accept": FHIR}
        return await self._call("POST", f"{url}/_search", headers, data=dict(query))

    async def form(self, url: str, fields: Mapping[str, str]) -> Answer:
        return await self._call("POST", url, {"Accept": "application/json"}, data=dict(fields))

    async def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        **more: Any,  # noqa: ANN401
    ) -> Answer:
        loop = asyncio.get_running_loop()
        if loop.time() < self.rest.until:
            raise NotSent("left in peace for a while after its last failure")
        try:
            async with asyncio.timeout(self.call_s):
                response = await self._client.request(method, url, headers=dict(headers), **more)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            self.rest.failed(loop.time())
            raise NotSent(f"no connection: {_words(error)}") from error
        except (httpx.HTTPError, OSError) as error:  # TLS 1.3 refuses us while we read
            self.rest.failed(loop.time())
            raise NoAnswer(f"no whole answer: {_words(error)}") from error
        if response.status_code in {429, 502, 503, 504}:
            self.rest.failed(loop.time(), _wanted_s(response.headers.get("Retry-After", "")))
        else:
            self.rest.worked()
        return Answer(response.status_code, _object(response.content))


def context(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """The system's authorities, or *ca* alone; ours for mTLS. Raises OSError and SSLError."""
    tls = ssl.create_default_context(cafile=ca)
    if certificate is not None:
        tls.load_cert_chain(certificate, key, password="")
    return tls


def _object(body: bytes) -> Json | None:
    if len(body) > MAX_ANSWER:
        return None
    try:
        found = parsed(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _wanted_s(retry_after: str) -> float:
    """A number of seconds; the form with a date is as good as none."""
    return float(retry_after) if retry_after.isdecimal() else 0.0


def _words(error: Exception) -> str:
    """The kind alone: the text of some errors holds what was sent."""
    return type(error).__name__
