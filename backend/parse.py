"""Is it FHIR? A parse by `fhir.resources`, which costs more than all else that a receiver does.

A gateway repeats itself: Bundle after Bundle has the same form, with other numbers, times and ids
in it. A form that was parsed before is not parsed again. What may differ within a form is only
what no parse of FHIR could tell apart: see `_ALIKE`.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from gateway.contract import ContractError

REMEMBERED = 20_000  # digests of forms: 2 MiB

# As they stand in what Python shows of an entry. Each is replaced by a mark with its length, so
# that no limit of a length is passed by. Whatever FHIR type a text is held against, one UUID fits
# as another does; so does one moment as another, of a day that every month has; so does the end of
# a PHD identifier (a type of measurement, seconds since 2000). Quantity.value is any number.
# Each begins with itself, not with a choice: so `re` finds it ten times as fast.
_DAY = r"[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
_HOUR = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?"
_ALIKE = (
    re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    re.compile(rf"'{_DAY}T{_HOUR}[+](?:0\d|1[0-3]):[0-5]\d'"),
    re.compile(r"-\d{5,6}-\d{6,12}'"),
    re.compile(r"'value': (?:0|[1-9]\d{0,8})(?=[,}])"),
    re.compile(r"'value': Decimal\('(?:0|[1-9]\d{0,8})\.\d{1,8}'\)(?=[,}])"),
)

Json = Mapping[str, Any]


class Parser:
    """Remembers the forms that were FHIR; one that was not is parsed again, and so never passes.

    For one thread at a time.
    """

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._known: dict[bytes, None] = {}  # the one that was met longest ago stands first

    def check(self, bundle: Json) -> None:
        """Raises ContractError, which quotes nothing of the Bundle."""
        entries = bundle["entry"]
        if not isinstance(entries, list):
            _parse(bundle)
        head = {name: value for name, value in bundle.items() if name != "entry"}
        forms = [_form(head), *map(_form, entries)]
        pairs = zip(entries, forms[1:], strict=True)
        new = [entry for entry, form in pairs if form not in self._known]
        if new or forms[0] not in self._known:
            try:
                _parse({**head, "entry": new} if new else head)
            except ContractError:
                _parse(bundle)  # for the place, counted among all entries
                raise
        for form in forms:
            self._known.pop(form, None)
            self._known[form] = None
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]


def load() -> None:
    """What the first Bundle would wait for: half a second, and 25 MiB."""
    from fhir.resources.R4B import bundle, device, observation  # noqa: F401, PLC0415


def _form(element: object) -> bytes:
    """The marks hold a character that Python shows of nothing."""
    text = repr(element)
    for kind, alike in enumerate(_ALIKE):
        text = alike.sub(lambda found: f"\0{kind}:{len(found[0])}\0", text)  # noqa: B023 -- at once
    return blake2b(text.encode(), digest_size=16).digest()


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
    except (AttributeError, RecursionError):  # so it says that a member `_x` is no object, or deep
        raise ContractError("body: not FHIR: members that no resource has") from None


def _path(location: tuple[int | str, ...]) -> str:
    """Where, without what a stranger may have called a member."""
    return ".".join(str(step) for step in location if str(step).isalnum() and len(str(step)) < 40)
