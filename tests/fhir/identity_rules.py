"""PHD's own identifier, recomputed; and nobody's number in the population register."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from gateway.model import Record
from tests.fhir.bundle_rules import token
from tests.fhir.elements import MDC, PHD, Json, codings, kind

SYSTEM = f"{PHD}PhdBaseObservation"
EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 -- a meter's naive clock
SPOT = "150588"
CPR_SYSTEM = "urn:oid:1.2.208.176.1.2"
CPR = re.compile(r"(?<!\d)(0[1-9]|[1-8]\d|9[01])(0[1-9]|1[0-2])\d\d-?\d{4}(?!\d)")


def phd_identifier(bundle: Json) -> Iterator[str]:
    """PhdBaseObservation: device, patient, type, stamp, supplemental types; and nothing twice."""
    found = [(of, value) for of in _observed(bundle) for value in identifiers(of)]
    if twice := [v for v, count in Counter(value for _, value in found).items() if count > 1]:
        yield f"{twice} twice"
    stamps = set()
    for observation, value in found:
        known = f"{_meter(bundle)}-{_citizen(bundle, observation)}-{_type(observation)}-"
        rest = value.removeprefix(known).split("-")
        if not value.startswith(known) or not all(part.isdigit() for part in rest):
            yield f"{value} does not begin with {known}"
        if rest[1:] != _supplemental(bundle, observation):
            yield f"{value} with other supplemental types"
        stamps.add(rest[0])
    if len(stamps) > 1 and not any(o["status"] == "entered-in-error" for o in _observed(bundle)):
        yield "two stamps"


def stamped_as_the_meter_said(bundle: Json, record: Record) -> Iterator[str]:
    """The meter's time, uncorrected; left out where it would name two things or a wild one."""
    types = Counter(_type(observation) for observation in _observed(bundle))
    alone = record.effective is not None and not record.shares_stamp
    stamps = [r.taken_at for r in (record.reading, *record.former)]
    seconds = {str(int((at - EPOCH).total_seconds())) for at in stamps if at and at >= EPOCH}
    for observation in _observed(bundle):
        of = _type(observation)
        stamp = [value.partition(f"-{of}-")[2].split("-")[0] for value in identifiers(observation)]
        if stamp and not (alone and types[of] == 1 and seconds.issuperset(stamp)):
            yield f"{stamp}"
        if not stamp and alone and seconds and types[of] == 1 and not record.former:
            yield "left out"


def identifiers(observation: Json) -> list[str]:
    return [i["value"] for i in observation["identifier"] if i["system"] == SYSTEM]


def _observed(bundle: Json) -> list[Json]:
    return [e["resource"] for e in bundle["entry"] if kind(e["resource"]) == "observation"]


def _type(observation: Json) -> str:
    return codings(observation["code"], MDC)[0]


def _meter(bundle: Json) -> str:
    """Its System ID, else its Bluetooth address, without the dashes."""
    (meter,) = (e["resource"] for e in bundle["entry"] if kind(e["resource"]) == "PhdDevice")
    known = {i["type"]["coding"][0]["code"]: i["value"] for i in meter["identifier"] if "type" in i}
    return str(known.get("SYSID") or known["BTMAC"]).replace("-", "")


def _citizen(bundle: Json, observation: Json) -> str:
    """Value and system, or a logical id alone."""
    reference: str = observation["subject"]["reference"]
    if reference.startswith("Patient/"):
        return reference.removeprefix("Patient/")
    if reference.startswith("Patient?"):
        system, value = token(reference.removeprefix("Patient?"))
        return f"{value}-{system}"
    (citizen,) = (e["resource"] for e in bundle["entry"] if e["fullUrl"] == reference)
    return f"{citizen['identifier'][0]['value']}-{citizen['identifier'][0]['system']}"


def _supplemental(bundle: Json, observation: Json) -> list[str]:
    """A pulse oximeter's values are spot checks, though an invalid one has no component."""
    oximeter = any(
        "528388" in codings(special["systemType"], MDC)
        for entry in bundle["entry"]
        if kind(entry["resource"]) == "PhdDevice"
        for special in entry["resource"]["specialization"]
    )
    numeric = f"{PHD}PhdNumericObservation" in observation["meta"]["profile"]
    return [SPOT] if oximeter and numeric else []


def no_register_number(bundle: Json) -> Iterator[str]:
    """No CPR on the box or on the wire: neither its system nor its shape where a citizen is named.

    Days of 61 and more are those of administrative numbers.
    """
    if CPR_SYSTEM in _texts(bundle):
        yield "a CPR number by its system"
    for entry in bundle["entry"]:
        resource = entry["resource"]
        named = resource["identifier"] if kind(resource) == "Patient" else []
        named = [*named, resource.get("subject", {}), *resource.get("performer", [])]
        if any(CPR.search(text) for text in _texts(named)):
            yield "what looks like a CPR number"


def _texts(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [text for item in node.values() for text in _texts(item)]
    if isinstance(node, list):
        return [text for item in node for text in _texts(item)]
    return [node] if isinstance(node, str) else []


IDENTITY = (phd_identifier, no_register_number)
OF_A_RECORD = (stamped_as_the_meter_said,)
