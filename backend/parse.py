"""Is it FHIR? A parse by `fhir.resources`, which costs more than all else that a receiver does.

A gateway repeats itself: the Devices and the pair of clocks are the same in Bundle after Bundle.
What was parsed before, to the last member, is not parsed again; that halves it.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from gateway.contract import ContractError

REMEMBERED = 20_000  # digests: 2 MiB

Json = Mapping[str, Any]


class Parser:
    """Remembers what was FHIR; one that was not is parsed again. For one thread at a time."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._known: dict[bytes, None] = {}  # the one that was met longest ago stands first

    def check(self, bundle: Json) -> None:
        """Raises ContractError, which quotes nothing of the Bundle."""
        entries = bundle["entry"]
        if not isinstance(entries, list):
            _parse(bundle)
        digests = [_digest(entry) for entry in entries]
        pairs = zip(entries, digests, strict=True)
        new = [entry for entry, digest in pairs if digest not in self._known]
        try:
            _parse({**bundle, "entry": new or entries})
        except ContractError:
            _parse(bundle)  # for the place, counted among all entries
            raise
        for digest in digests:
            self._known.pop(digest, None)
            self._known[digest] = None
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]


def load() -> None:
    """What the first Bundle would wait for: half a second, and 25 MiB."""
    from fhir.resources.R4B import bundle, device, observation  # noqa: F401, PLC0415


def _digest(entry: object) -> bytes:
    return blake2b(repr(entry).encode(), digest_size=16).digest()


def _parse(bundle: Json) -> None:
    from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415 -- 25 MiB, for `run` alone
    from pydantic import ValidationError  # noqa: PLC0415 -- fhir.resources brings it along

    try:
        Bundle.model_validate(bundle)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        text = "; ".join(f"{_path(fault['loc'])}: {fault['type']}" for fault in faults[:3])
        raise ContractError(f"body: not FHIR: {text}"[:400]) from None
    except (KeyError, TypeError):  # so fhir.resources says that it knows no such resource
        raise ContractError("body: not FHIR: an unknown type of resource") from None


def _path(location: tuple[int | str, ...]) -> str:
    """Where, without what a stranger may have called a member."""
    return ".".join(str(step) for step in location if str(step).isalnum() and len(str(step)) < 40)
