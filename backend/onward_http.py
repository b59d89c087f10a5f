"""One party's HTTP: what came back, or that nothing did.

Whether a call that failed may have had an effect decides what is done next, so the two ways of
failing are told apart.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

from backend.onward import TryAgain
from backend.onward_answer import Answer
from backend.onward_json import Json, octets, parsed
from backend.onward_tls import refused, words

try:
    import httpx
except ImportError as error:
    raise ImportError("handing on needs httpx: pip install 'hjemgate[receiver-onward]'") from error

CALL_S = 60.0  # for one call, whole; FUT's own example took half a second
REST_S, REST_CAP_S = 1.0, 120.0  # after a failure nothing is called for so long, then twice that
WANTED_CAP_S = 3600.0  # if the other side asks for a pause, at most so long
MAX_ANSWER = 4_194_304  # octets

FHIR = "application/fhir+json"


class NotSent(TryAgain):
    """The call cannot have had an effect."""


class NoAnswer(TryAgain):
    """It went out, and what became of it is not known."""


@dataclass(slots=True)
class Rest:
    """After a failure a party is left in peace, so that it does not hold up the others."""

    first_s: float = REST_S
    failures: int = 0
    until: float = 0.0
    why: str = ""

    def failed(self, now: float, why: str, wanted_s: float = 0.0) -> None:
        own_s = min(REST_CAP_S, self.first_s * 2 ** min(self.failures, 20))
        self.failures += 1
        self.until = now + max(own_s, min(wanted_s, WANTED_CAP_S))
        self.why = why

    def worked(self) -> None:
        self.failures, self.until = 0, 0.0

    def look(self, now: float) -> None:
        """Raises NotSent while it lasts."""
        if now < self.until:
            left_s = self.until - now
            raise NotSent(f"{self.why}; left in peace for {left_s:.0f} s more", left_s)


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
        self.rest.look(loop.time())
        try:
            async with asyncio.timeout(self.call_s):
                plain = {**headers, "Accept-Encoding": "identity"}
                async with self._client.stream(method, url, headers=plain, **more) as response:
                    body, why = await _read(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise self._failed(NotSent, "no connection", error) from error
        except httpx.InvalidURL as error:
            raise NotSent("an address that cannot be called") from error
        except (httpx.HTTPError, OSError) as error:
            # With TLS 1.3 a certificate is refused while we read.
            kind = NotSent if refused(error) else NoAnswer
            raise self._failed(kind, "no whole answer", error) from error
        if response.status_code in {429, 502, 503, 504}:
            wanted_s = _wanted_s(response.headers.get("Retry-After", ""))
            self.rest.failed(loop.time(), f"it answers {response.status_code}", wanted_s)
        else:
            self.rest.worked()
        return Answer(response.status_code, _object(body), why)

    def _failed(
        self, kind: type[NotSent | NoAnswer], what: str, error: Exception
    ) -> NotSent | NoAnswer:
        why = f"{what}: {words(error)}"
        self.rest.failed(asyncio.get_running_loop().time(), why)
        return kind(why)


async def _read(response: httpx.Response) -> tuple[bytes, str]:
    """The body as it came; or why it is not looked at. What is packed may be any size unpacked."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return b"", "packed, which was not asked for"
    body = bytearray()
    async for some in response.aiter_raw():
        body += some
        if len(body) > MAX_ANSWER:
            return b"", f"and more than {MAX_ANSWER} octets"
    return bytes(body), ""


def _object(body: bytes) -> Json | None:
    try:
        found = parsed(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _wanted_s(retry_after: str) -> float:
    """Seconds, from a number of them or from a date (RFC 9110, 10.2.3); 0 for anything else."""
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return (moment - datetime.now(UTC)).total_seconds() if moment.tzinfo else 0.0
