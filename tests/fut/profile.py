"""Whether an Observation conforms to FUT's `ehealth-observation`, by its published snapshot.

Cardinalities of elements and of extensions, required bindings of FUT's own code lists, units and
types of numbers by the concept maps, and absolute references. Base R4 is for `fhir.resources`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.fut.packages import concept_map, observation_codes, resource

Json = Mapping[str, Any]
EHEALTH = "http://ehealth.sundhed.dk"


def faults(observation: Json, version: str) -> list[str]:
    elements = resource(version, "StructureDefinition-ehealth-observation")["snapshot"]["element"]
    return [
        *_cardinalities(observation, elements),
        *_extensions(observation, elements),
        *_codes(observation, version),
        *_quantities(observation, version),
        *_references(observation),
    ]


def _cardinalities(observation: Json, elements: Sequence[Json]) -> Iterator[str]:
    for element in elements:
        path = element["path"].split(".")
        if len(path) != 2 or "sliceName" in element:
            continue
        name = path[1]
        if name.endswith("[x]"):
            found = [key for key in observation if key.startswith(name[:-3]) and key != name[:-3]]
            types = {kind["code"][0].upper() + kind["code"][1:] for kind in element.get("type", ())}
            yield from (
                f"{key}: not a type of {name}" for key in found if key[len(name) - 3 :] not in types
            )
            number = len(found)
        else:
            value = observation.get(name, [])
            number = len(value) if isinstance(value, list) else 1
        most = element.get("max", "*")
        if number < element.get("min", 0) or (most != "*" and number > int(most)):
            yield f"{name}: expected {element.get('min')}..{most}, got {number}"


def _extensions(observation: Json, elements: Sequence[Json]) -> Iterator[str]:
    count = Counter(each["url"] for each in observation.get("extension", ()))
    for element in elements:
        if element["path"] != "Observation.extension" or "sliceName" not in element:
            continue
        (url,) = element["type"][0]["profile"]
        number, most = count[url], element["max"]
        if number < element["min"] or (most != "*" and number > int(most)):
            yield f"extension {url}: expected {element['min']}..{most}, got {number}"


def _codes(observation: Json, version: str) -> Iterator[str]:
    allowed = observation_codes(version)
    for name, part in _parts(observation):
        pairs = {(coding.get("system"), coding.get("code")) for coding in part["code"]["coding"]}
        if not pairs & allowed:
            yield f"{name}.code: none of the observation-codes of {version}"
    for system, code in _concepts(observation):
        if system and system.startswith(f"{EHEALTH}/cs/"):
            listed = resource("8.0.0", f"CodeSystem-ehealth-{system.rsplit('/', 1)[-1]}")
            if code not in _all(listed["concept"]):
                yield f"{system}: no code {code}"


def _all(concepts: Sequence[Json]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _all(concept.get("concept", ()))


def _concepts(element: object) -> Iterator[tuple[str, str]]:
    if isinstance(element, Mapping):
        for coding in element.get("coding", ()):
            yield coding.get("system", ""), coding.get("code", "")
        for each in element.values():
            yield from _concepts(each)
    elif isinstance(element, list):
        for each in element:
            yield from _concepts(each)


def _quantities(observation: Json, version: str) -> Iterator[str]:
    units = concept_map(version, "conceptmap-obs-code-to-ucum")
    types = concept_map("8.0.0", "conceptmap-obs-code-to-value-type")
    for name, part in _parts(observation):
        quantity = part.get("valueQuantity")
        if quantity is None:
            continue
        if not {"value", "unit", "system", "code"} <= set(quantity):
            yield f"{name}: a Quantity needs value, unit, system and code"
            continue
        for coding in part["code"]["coding"]:
            pair = (coding["system"], coding["code"])
            if units.get(pair, (quantity["system"], quantity["code"])) != (
                quantity["system"],
                quantity["code"],
            ):
                yield f"{name}: {pair[1]} in {quantity['code']}, expected {units[pair][1]}"
            whole = isinstance(quantity["value"], int)
            if types.get(pair, ("", ""))[1] == "integer" and not whole:
                yield f"{name}: {pair[1]} is an integer, got {Decimal(quantity['value'])}"


def _references(observation: Json) -> Iterator[str]:
    if "contained" in observation:
        yield "contained: all references are to resources of their own"
    for text in _referred(observation):
        if not text.startswith("https://"):
            yield f"a reference that is not absolute: {text}"


def _referred(element: object) -> Iterator[str]:
    if isinstance(element, Mapping):
        if isinstance(element.get("reference"), str):
            yield element["reference"]
        for each in element.values():
            yield from _referred(each)
    elif isinstance(element, list):
        for each in element:
            yield from _referred(each)


def _parts(observation: Json) -> list[tuple[str, Json]]:
    components = observation.get("component", ())
    return [
        ("Observation", observation),
        *((f"component[{n}]", c) for n, c in enumerate(components)),
    ]
