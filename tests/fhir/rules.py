"""The rules that the profiles add to FHIR R4, for the Bundles of this project. No validator.

Sources: HL7 PHD 2.0.0 (PhdBaseObservation and its children, PhdDevice, PhgDevice, PhdPatient,
PhdCoincidentTimeStampObservation), DK Core 3.8.0 (dk-core-observation), R4's vital-signs profiles
and invariants, and this project's own contract. Each rule yields what it finds wrong.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TypeVar

from gateway.model import Record
from tests.fhir.bundle_rules import BUNDLE
from tests.fhir.device_rules import GATEWAY, METER
from tests.fhir.device_slices import SLICES
from tests.fhir.elements import Json, kind
from tests.fhir.identity_rules import IDENTITY, OF_A_RECORD
from tests.fhir.observation_rules import OBSERVATION
from tests.fhir.patient_rules import PATIENT
from tests.fhir.structure_rules import STRUCTURE
from tests.fhir.timestamp_rules import TIMESTAMP

Rule = Callable[[Json], Iterator[str]]
R = TypeVar("R", bound=Callable[..., Iterator[str]])


def _by_name(rules: Iterable[R]) -> Mapping[str, R]:
    return {rule.__name__: rule for rule in rules}


BUNDLE_RULES: Mapping[str, Rule] = _by_name((*STRUCTURE, *BUNDLE, *IDENTITY))
RECORD_RULES: Mapping[str, Callable[..., Iterator[str]]] = _by_name(OF_A_RECORD)
RULES: Mapping[str, Mapping[str, Rule]] = {
    "observation": _by_name(OBSERVATION),
    "timestamp": _by_name(TIMESTAMP),
    "PhdDevice": _by_name((*METER, *SLICES)),
    "PhgDevice": _by_name((*GATEWAY, *SLICES)),
    "Patient": _by_name(PATIENT),
}
MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError)


def faults(bundle: Json, record: Record | None = None) -> list[str]:
    """Everything wrong, each with the rule's name in front. *record*: what it was made from."""
    found = [fault for name, rule in BUNDLE_RULES.items() for fault in _tried(name, rule, bundle)]
    if record is not None:
        for name, of_both in RECORD_RULES.items():
            found += _tried(name, partial(of_both, record=record), bundle)
    for entry in bundle["entry"]:
        resource = entry.get("resource", {})
        for name, rule in RULES.get(kind(resource), {}).items():
            found += _tried(name, rule, resource)
    return found


def _tried(name: str, rule: Rule, of: Json) -> Iterator[str]:
    """What is missing altogether, or of another shape, is a fault as well."""
    try:
        for fault in rule(of):
            yield f"{name}: {fault}"
    except MALFORMED as error:
        yield f"{name}: {type(error).__name__} {error}"
