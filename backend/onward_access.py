"""By which right a party is called: a certificate alone, or a token by OAuth 2.0 as well."""

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from backend.onward import TryAgain
from backend.onward_answer import Answer
from backend.onward_http import NoAnswer, NotSent, Web

EARLY_S = 30.0  # before a token ends, it is not used any more
SHORT_S = 60.0  # the life of a token that does not say how long it lives

LONG_S = 86_400.0  # at most so long it is used, whatever it says
TOKEN = re.compile(r"[!-~]+")  # RFC 6749, appendix A.12, without spaces: it stands in a header
BUSY = {408, 425, 429}

Context = Mapping[str, str]  # what a token is good for: FUT's tokens name patient and episode
NOTHING: Context = {}


class Access(Protocol):
    async def headers(self, context: Context = NOTHING) -> Mapping[str, str]:
        """Raises TryAgain."""

    def forget(self, context: Context = NOTHING) -> None:
        """What was given for *context* was refused."""


class Certificate:
    """The connection says who we are."""

    async def headers(self, context: Context = NOTHING) -> Mapping[str, str]:
        del context
        return {}

    def forget(self, context: Context = NOTHING) -> None:
        del context


@dataclass(slots=True)
class Token:
    """Bearer tokens from a token endpoint (RFC 6749, 4.4 and 6).

    *fields*: grant_type, client_id ... *refresh*: a file with the refresh token; where the server
    gives a new one with each answer, it takes the place of the old before it is needed again.
    """

    web: Web
    url: str
    fields: Mapping[str, str]
    refresh: Path | None = None
    _held: dict[frozenset[tuple[str, str]], tuple[str, float]] = field(default_factory=dict)

    async def headers(self, context: Context = NOTHING) -> Mapping[str, str]:
        key = frozenset(context.items())
        token, until = self._held.get(key, ("", 0.0))
        if asyncio.get_running_loop().time() >= until:
            token = await self._fetch(key, context)
        return {"Authorization": f"Bearer {token}"}

    def forget(self, context: Context = NOTHING) -> None:
        self._held.pop(frozenset(context.items()), None)

    async def _fetch(self, key: frozenset[tuple[str, str]], context: Context) -> str:
        begun = asyncio.get_running_loop().time()
        fields = {**self.fields, **context}
        if self.refresh is not None:
            fields["refresh_token"] = _read(self.refresh)
        try:
            answer = await self.web.form(self.url, fields)
        except (NoAnswer, NotSent) as error:
            raise TryAgain(f"the token endpoint: {error}", error.wait_s) from error
        told = answer.body or {}
        token, life = told.get("access_token"), told.get("expires_in", SHORT_S)
        if not answer.good or not isinstance(token, str) or not TOKEN.fullmatch(token):
            raise TryAgain(f"the token endpoint answers {answer.status}{_why(answer)}")
        renewed = told.get("refresh_token")
        if self.refresh is not None and isinstance(renewed, str) and renewed:
            _write(self.refresh, renewed)
        life_s = float(min(life, LONG_S)) if _is_span(life) else SHORT_S
        self._held[key] = (token, begun + max(0.0, life_s - EARLY_S))
        return token


def _is_span(life: object) -> bool:
    return isinstance(life, int | Decimal) and not isinstance(life, bool)


def _why(answer: Answer) -> str:
    """By RFC 6749, 5.2, an `error` is one word; what else it says may quote what was sent."""
    if answer.status in BUSY or answer.status >= 500:
        return ": it is asked again later"
    named = (answer.body or {}).get("error")
    if isinstance(named, str) and named.isidentifier():
        return f", {named}: check client_id, client_secret, the refresh token and `fields`"
    if answer.good:
        return ", no token: check token_url"
    return ": check token_url and our credentials there"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise TryAgain(f"the refresh token cannot be read: {error}") from error


def _write(path: Path, token: str) -> None:
    """Whole or not at all, readable by us alone: the old one may be worth nothing any more."""
    unfinished = path.with_suffix(".new")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.write(token)
            f.flush()
            os.fsync(f.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise TryAgain(f"the new refresh token cannot be kept: {error}") from error
