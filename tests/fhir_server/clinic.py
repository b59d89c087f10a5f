"""Somebody who talks to the server as a receiver or a clinic would: plain FHIR R4 over HTTP."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from gateway.fhir import names
from gateway.model import Patient

Json = dict[str, Any]
FHIR = "application/fhir+json"
# HAPI answers a search that it has just answered from memory, unless it is told not to.
HEADERS = {"Content-Type": FHIR, "Accept": FHIR, "Cache-Control": "no-cache"}
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Json

    @property
    def statuses(self) -> list[str]:
        """Of the entries of a transaction."""
        return [entry["response"]["status"][:3] for entry in self.body["entry"]]

    @property
    def places(self) -> list[str]:
        """Where the entries of a transaction are, each with the version that it left there."""
        return [entry["response"]["location"] for entry in self.body["entry"]]


@dataclass(frozen=True, slots=True)
class Clinic:
    """Numbers in its answers are texts, so that 72.500 is not 72.5."""

    http: httpx.Client

    def post(self, bundle: bytes) -> Answer:
        return self.ask("POST", "", bundle)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        said = self.http.request(method, path, content=body, headers={**HEADERS, **headers})
        return Answer(said.status_code, parsed(said.content) if said.content else {})

    def put(self, resource: Json, path: str) -> Answer:
        return self.ask("PUT", path, json.dumps(resource).encode())

    def admit(self, person: Patient) -> str:
        """Make a patient known. Returns the reference to them."""
        resource: Json = {"resourceType": "Patient"}
        if person.reference == "logical":
            path = names.subject(person)
            answer = self.put({**resource, "id": person.value}, path)
        else:
            resource["identifier"] = [{"system": person.system, "value": person.value}]
            path = f"Patient?{names.search(person.system, person.value)}"
            answer = self.put(resource, path)
        assert answer.status in (200, 201), answer
        return f"Patient/{answer.body['id']}"

    def find(self, search: str) -> list[Json]:
        """All resources that a search finds, in its order, from all of its pages."""
        return list(self._pages(search))

    def _pages(self, path: str) -> Iterator[Json]:
        while path:
            answer = self.ask("GET", path)
            assert answer.status == 200, answer
            yield from (entry["resource"] for entry in answer.body.get("entry", ()))
            links = {link["relation"]: link["url"] for link in answer.body.get("link", ())}
            path = links.get("next", "")

    def read(self, places: Sequence[str]) -> list[Json]:
        """Resources by their places, as one batch."""
        gets = [{"request": {"method": "GET", "url": place}} for place in places]
        batch = {"resourceType": "Bundle", "type": "batch", "entry": gets}
        answer = self.ask("POST", "", json.dumps(batch).encode())
        return [entry["resource"] for entry in answer.body["entry"]]

    def written_since(self, moment: datetime) -> list[Json]:
        """Every version of every resource that the server has written since."""
        since = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return self.find(f"_history?_since={since}")


def later() -> datetime:
    """A moment after everything that has been answered, before everything to come: the server
    counts milliseconds.
    """
    time.sleep(0.005)
    return datetime.now(UTC)


def of_reading(name: UUID) -> str:
    """The search for one Observation by its own identifier."""
    return f"Observation?{names.search(names.URI, names.urn(name))}"


def parsed(text: bytes) -> Json:
    found: Json = json.loads(text, parse_float=str, parse_int=str)
    return found


def as_sent(resource: Json) -> Json:
    """A stored resource without what a server adds to it."""
    meta = {name: value for name, value in resource.get("meta", {}).items() if name in KEPT}
    rest = {name: value for name, value in resource.items() if name != "id"}
    return _in_order({**rest, "meta": meta})


def to_store(resource: Json, places: Mapping[str, str]) -> Json:
    """A resource as a server has to store it: with every reference to where its target now is."""
    return _in_order(_moved(resource, places))


KEPT = {"profile", "security"}


def _in_order(resource: Json) -> Json:
    """Profiles are a set."""
    meta = resource.get("meta", {})
    if "profile" in meta:
        return {**resource, "meta": {**meta, "profile": sorted(meta["profile"])}}
    return resource


def _moved(element: Any, places: Mapping[str, str]) -> Any:
    if isinstance(element, list):
        return [_moved(each, places) for each in element]
    if isinstance(element, dict):
        return {
            name: places.get(value, value) if name == "reference" else _moved(value, places)
            for name, value in element.items()
        }
    return element
