"""A ServiceRequest of FUT's: what it asks for, and from when to when; pure.

Source: FUT's IG, StructureDefinition ehealth-servicerequest and its introduction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from backend.onward_json import Json, part, word

HISTORY = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-servicerequest-statusHistory"

Codes = frozenset[tuple[str, str]]  # system, code


@dataclass(frozen=True, slots=True)
class Span:
    """From, to; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        after = self.start is None or self.start <= moment
        return after and (self.end is None or moment <= self.end)


ALWAYS = Span()


def counts(order: Json, patient: str) -> bool:
    """Active, and never somebody else's."""
    subject = word(part(order, "subject"), "reference")
    return order.get("status") == "active" and same(subject, patient)


def same(reference: str, url: str) -> bool:
    """Whether *reference*, perhaps relative or to one version, is to what *url* names."""
    short, whole = _unversioned(reference), _unversioned(url)
    return short == whole or (short == bare(short) and short == bare(whole))


def bare(reference: str) -> str:
    """Type and id, without server and version."""
    return "/".join(_unversioned(reference).split("/")[-2:])


def _unversioned(reference: str) -> str:
    return reference.partition("/_history/")[0]


def definition(order: Json) -> str:
    """The URL of its ActivityDefinition."""
    urls = order.get("instantiatesCanonical")
    first = urls[0] if isinstance(urls, list) and urls else ""
    return first if isinstance(first, str) else ""


def codes(concept: Json) -> Codes:
    return frozenset(
        (coding.get("system", ""), coding["code"])
        for coding in concept.get("coding", ())
        if "code" in coding
    )


def active(order: Json) -> Iterator[Span]:
    """When it was active, from its history of states, which FUT keeps."""
    for extension in order["extension"]:
        if extension["url"] != HISTORY:
            continue
        parts = {part["url"]: part for part in extension.get("extension", ())}
        states = codes(parts["status"]["valueCodeableConcept"])
        if any(code == "active" for _, code in states):
            yield _span(parts["period"]["valuePeriod"])


def bounds(order: Json) -> Span:
    """From when to when it asks for anything."""
    repeat = order.get("occurrenceTiming", {}).get("repeat", {})
    return _span(order.get("occurrencePeriod") or repeat.get("boundsPeriod") or {})


def aware(text: str) -> datetime:
    """Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment


def _span(period: Json) -> Span:
    return Span(_moment(period.get("start")), _moment(period.get("end")))


def _moment(text: str | None) -> datetime | None:
    """None also for a day, a month or a year alone: it is no bound that could be held."""
    return None if text is None or "T" not in text else aware(text)
