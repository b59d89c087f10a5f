"""A Bundle with one fault, and the ways to put it there."""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.fhir import render
from gateway.fhir.serial import dumps
from tests.conformance.announced import announcements
from tests.fhir.records import CASES
from tests.fhir.rules import faults

Json = dict[str, Any]
Change = Callable[[list[Json]], object]  # of a Bundle's entries


ANNOUNCED = "announced: sig_blood_pressure, with new firmware"
SENT = {name: render(record) for name, record in CASES.items()}
SENT[ANNOUNCED] = announcements()[ANNOUNCED]


class Mutant(NamedTuple):
    """`rule` refuses it, and HL7's validator with the error `hl7`; without one it cannot know."""

    what: str
    rule: str
    case: str  # of tests.fhir.records, or ANNOUNCED
    change: Change
    hl7: str = ""  # of the error that its validator gives

    def bundle(self) -> Json:
        found: Json = json.loads(SENT[self.case], parse_float=Decimal)
        self.change(found["entry"])
        return found

    def faults(self) -> list[str]:
        return faults(self.bundle(), CASES.get(self.case))

    def body(self) -> bytes:
        return dumps(self.bundle())


GATEWAY, METER, CLOCK, FIRST, SECOND = range(5)  # the entries, in the order they are written
CITIZEN = -1  # the last, if it is there
HTEST = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
PHD_CATEGORY = {
    "coding": [
        {"system": "http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories", "code": "phd"}
    ]
}
VITAL_SIGNS = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "vital-signs",
        }
    ]
}
WEIGHT_CODE = {"system": "urn:iso:std:iso:11073:10101", "code": "188736"}
LOINC = {"system": "http://loinc.org", "code": "29463-7"}
NO_NUMBER = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
            "code": "not-a-number",
        }
    ]
}
BP, KPA, SUGAR, OXY = "blood-pressure", "blood-pressure-kpa-with-status", "glucose", "oximetry"
WARM, AMENDED, MEAL = "temperature", "blood-pressure-amended", "glucose-with-context"
TOLD = "blood-pressure-of-a-meter-that-tells-all"
CERTIFIED, UNREGULATED, HAS_CLOCK, SETTABLE, USB = 0, 2, 3, 4, 5  # of its properties
UNTIMED, ENTRY = "blood-pressure-time-unknown", "blood-pressure-simulated-patient-entry"


def resource(entries: list[Json], entry: int) -> Json:
    found: Json = entries[entry]["resource"]
    return found


def put(entry: int, *path: str | int, to: object) -> Change:
    def change(entries: list[Json]) -> None:
        node: Any = resource(entries, entry)
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = to

    return change


def drop(entry: int, *path: str | int) -> Change:
    def change(entries: list[Json]) -> None:
        node: Any = resource(entries, entry)
        for step in path[:-1]:
            node = node[step]
        del node[path[-1]]

    return change


def add(entry: int, *path: str | int, item: object = None) -> Change:
    """Append *item* to a list, or its own first element once more."""

    def change(entries: list[Json]) -> None:
        node: Any = resource(entries, entry)
        for step in path:
            node = node[step]
        node.append(copy.deepcopy(node[0] if item is None else item))

    return change


def asked(entry: int, **request: str) -> Change:
    return lambda entries: entries[entry]["request"].update(request)


def updates(entry: int) -> Change:
    """Updated, where it would be created if it was not there."""

    def change(entries: list[Json]) -> None:
        request = entries[entry]["request"]
        request["method"] = "PUT"
        request["url"] += f"?{request.pop('ifNoneExist')}"

    return change


def creates(entry: int) -> Change:
    def change(entries: list[Json]) -> None:
        request = entries[entry]["request"]
        request["method"] = "POST"
        request["url"], _, request["ifNoneExist"] = request["url"].partition("?")

    return change


def another(entry: Json) -> Json:
    """The same resource under another name."""
    text = json.dumps(entry, default=str)
    for name in (entry["fullUrl"], entry["resource"]["identifier"][0]["value"]):
        text = text.replace(name, f"{name[:-4]}0000")
    other: Json = json.loads(text)
    return other


def leads(entry: int, *path: str | int, to: int) -> Change:
    """A reference that leads to another entry."""

    def change(entries: list[Json]) -> None:
        put(entry, *path, to={"reference": entries[to]["fullUrl"]})(entries)

    return change
