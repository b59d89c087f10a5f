"""Bundles with one fault each: what the rules, and HL7's validator, are tried on."""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.fhir import render
from gateway.fhir.serial import dumps
from tests.fhir.records import CASES

Json = dict[str, Any]
Change = Callable[[list[Json]], object]  # of a Bundle's entries


class Mutant(NamedTuple):
    """`rule` refuses it. `hl7`: HL7's validator does as well; if not, it cannot know the rule."""

    what: str
    rule: str
    case: str  # of tests.fhir.records
    change: Change
    hl7: bool = True

    def bundle(self) -> Json:
        found: Json = json.loads(render(CASES[self.case]), parse_float=Decimal)
        self.change(found["entry"])
        return found

    def body(self) -> bytes:
        return dumps(self.bundle())


GATEWAY, METER, CLOCK, FIRST, SECOND = range(5)  # the entries, in the order they are written
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


def to_gateway(entry: int, *path: str | int) -> Change:
    """A reference that leads to the gateway instead."""

    def change(entries: list[Json]) -> None:
        put(entry, *path, to={"reference": entries[GATEWAY]["fullUrl"]})(entries)

    return change


OLD_FORM = "5C313EFFFE010203-p-1-150020-20181113175903.00"  # PHD 1.0's, which 2.0's examples keep

MUTANTS: tuple[Mutant, ...] = (
    # The Bundle
    Mutant("posted to another type", "transaction", BP, asked(FIRST, url="Device"), hl7=False),
    Mutant("no request", "transaction", BP, lambda e: e[FIRST].pop("request")),
    Mutant(
        "created without condition",
        "own_identifier",
        BP,
        lambda e: e[FIRST]["request"].pop("ifNoneExist"),
        hl7=False,
    ),
    Mutant(
        "another identifier than it is found by",
        "own_identifier",
        BP,
        put(FIRST, "identifier", 0, "value", to="urn:uuid:1"),
        hl7=False,
    ),
    Mutant(
        "a fullUrl that is its identifier",
        "own_identifier",
        BP,
        lambda e: e[FIRST].update(fullUrl=resource(e, FIRST)["identifier"][0]["value"]),
        hl7=False,
    ),
    Mutant(
        "an update without condition",
        "own_identifier",
        AMENDED,
        asked(FIRST, url="Observation"),
        hl7=False,
    ),
    Mutant("the clock pair is missing", "references_resolve", BP, lambda e: e.pop(CLOCK)),
    Mutant(
        "two of one fullUrl",
        "references_resolve",
        BP,
        lambda e: e[FIRST].update(fullUrl=e[METER]["fullUrl"]),
    ),
    Mutant(
        "a search with a bare bar",
        "references_resolve",
        BP,
        put(FIRST, "subject", "reference", to="Patient?identifier=a|b"),
        hl7=False,
    ),
    # Who and with what
    Mutant("measured by the gateway", "right_devices", BP, to_gateway(FIRST, "device")),
    Mutant("the gateway's own clock", "right_devices", BP, to_gateway(CLOCK, "subject")),
    Mutant("no subject", "subject_and_device", BP, drop(FIRST, "subject")),
    Mutant("no device", "subject_and_device", BP, drop(FIRST, "device")),
    Mutant(
        "performed by another",
        "subject_and_device",
        BP,
        put(FIRST, "performer", 0, "reference", to="Patient/other"),
        hl7=False,
    ),
    Mutant("no gateway device", "gateway_extension", BP, drop(FIRST, "extension", 0)),
    Mutant("no extension at all", "gateway_extension", BP, drop(FIRST, "extension")),
    Mutant("two gateway devices", "gateway_extension", BP, add(FIRST, "extension")),
    Mutant(
        "two clock pairs",
        "gateway_extension",
        BP,
        lambda e: resource(e, FIRST)["extension"].append(resource(e, FIRST)["extension"][1]),
    ),
    # Identifiers
    Mutant(
        "two PHD identifiers",
        "phd_identifier",
        BP,
        lambda e: resource(e, FIRST)["identifier"].append(resource(e, FIRST)["identifier"][1]),
    ),
    Mutant(
        "a PHD identifier with a type",
        "phd_identifier",
        BP,
        put(FIRST, "identifier", 1, "type", to={"text": "PHD"}),
    ),
    Mutant(
        "a PHD identifier without value",
        "phd_identifier",
        BP,
        drop(FIRST, "identifier", 1, "value"),
    ),
    Mutant(
        "the PHD identifier's old form",
        "phd_identifier",
        BP,
        put(FIRST, "identifier", 1, "value", to=OLD_FORM),
        hl7=False,
    ),
    Mutant(
        "a PHD identifier in small letters",
        "phd_identifier",
        BP,
        put(FIRST, "identifier", 1, "value", to="5c31-x-150020-1"),
        hl7=False,
    ),
    Mutant(
        "the PHD identifier of another type",
        "phd_identifier",
        BP,
        put(FIRST, "code", "coding", 0, "code", to="149530"),
        hl7=False,
    ),
    # Category, status, interpretation
    Mutant("no PHD category", "phd_category", BP, drop(FIRST, "category", 1)),
    Mutant("no category", "phd_category", SUGAR, drop(FIRST, "category")),
    Mutant("two PHD categories", "phd_category", BP, add(FIRST, "category", item=PHD_CATEGORY)),
    Mutant("no vital-signs category", "vital_signs", BP, drop(FIRST, "category", 0)),
    Mutant(
        "a vital sign that is none",
        "vital_signs",
        SUGAR,
        add(FIRST, "category", item=VITAL_SIGNS),
        hl7=False,
    ),
    Mutant("an unknown status", "status", BP, put(FIRST, "status", to="finall")),
    Mutant("no status", "status", BP, drop(FIRST, "status")),
    Mutant(
        "an interpretation of no measurement status",
        "interpretation",
        OXY,
        put(FIRST, "interpretation", 0, "coding", 0, "system", to="urn:x"),
    ),
    # Time
    Mutant("no effective time", "moments", BP, drop(FIRST, "effectiveDateTime")),
    Mutant("no word why the time is unknown", "moments", UNTIMED, drop(3, "_effectiveDateTime")),
    Mutant(
        "a time without offset",
        "moments",
        BP,
        put(FIRST, "effectiveDateTime", to="2026-11-22T08:30:00"),
    ),
    Mutant(
        "an impossible time",
        "moments",
        BP,
        put(FIRST, "effectiveDateTime", to="2026-13-22T08:30:00+01:00"),
    ),
    Mutant("a meter's stamp as issued", "moments", BP, put(FIRST, "issued", to="2026-11-22")),
    # Codes
    Mutant("no MDC code", "mdc_code", BP, drop(FIRST, "code", "coding", 0)),
    Mutant(
        "no MDC code of a part",
        "compound",
        BP,
        drop(FIRST, "component", 0, "code", "coding", 0),
        hl7=False,
    ),
    Mutant(
        "no code of a part", "mdc_code", BP, put(FIRST, "component", 0, "code", to={"text": "high"})
    ),
    Mutant(
        "a second MDC coding",
        "dk_core_slices",
        SUGAR,
        add(FIRST, "code", "coding", item=WEIGHT_CODE),
    ),
    Mutant(
        "a second MDC coding of a part",
        "compound",
        BP,
        add(FIRST, "component", 0, "code", "coding", item=WEIGHT_CODE),
    ),
    Mutant(
        "a second LOINC coding of a part",
        "dk_core_slices",
        BP,
        add(FIRST, "component", 0, "code", "coding", item=LOINC),
    ),
    Mutant(
        "a supplemental type without value",
        "supplemental",
        OXY,
        drop(FIRST, "component", 0, "valueCodeableConcept"),
    ),
    Mutant(
        "a supplemental type without a code",
        "supplemental",
        OXY,
        put(FIRST, "component", 0, "valueCodeableConcept", to={"text": "spot"}),
    ),
    # Values
    Mutant("no value", "value_or_reason", "weight", drop(FIRST, "valueQuantity")),
    Mutant(
        "a glucose without value", "value_or_reason", SUGAR, drop(FIRST, "valueQuantity"), hl7=False
    ),
    Mutant(
        "a part without value", "value_or_reason", BP, drop(FIRST, "component", 0, "valueQuantity")
    ),
    Mutant(
        "a value beside its reason",
        "value_or_reason",
        SUGAR,
        put(FIRST, "dataAbsentReason", to=NO_NUMBER),
    ),
    Mutant(
        "a part's value beside its reason",
        "value_or_reason",
        BP,
        put(FIRST, "component", 0, "dataAbsentReason", to=NO_NUMBER),
        hl7=False,
    ),
    Mutant(
        "a reason from another list",
        "value_or_reason",
        "glucose-high",
        put(FIRST, "dataAbsentReason", "coding", 0, "code", to="too-high"),
    ),
    Mutant("a unit of no system", "quantities", SUGAR, drop(FIRST, "valueQuantity", "system")),
    Mutant(
        "a unit of another system",
        "quantities",
        SUGAR,
        put(FIRST, "valueQuantity", "system", to="urn:x"),
    ),
    Mutant("bad UCUM", "quantities", SUGAR, put(FIRST, "valueQuantity", "code", to="mmol/Liter")),
    Mutant("no unit code", "quantities", BP, drop(FIRST, "component", 0, "valueQuantity", "code")),
    Mutant("no number", "quantities", SUGAR, drop(FIRST, "valueQuantity", "value")),
    Mutant(
        "a number as text", "quantities", SUGAR, put(FIRST, "valueQuantity", "value", to="6.10")
    ),
    Mutant("a second value", "profile_shape", SUGAR, put(FIRST, "valueString", to="6.1")),
    Mutant("no profile", "profile_shape", SUGAR, put(FIRST, "meta", "profile", to=[]), hl7=False),
    Mutant(
        "a part's second value", "compound", BP, put(FIRST, "component", 0, "valueString", to="121")
    ),
    Mutant("a panel's own value", "profile_shape", BP, put(FIRST, "valueString", to="121/81")),
    Mutant(
        "a circumstance as text", "profile_shape", MEAL, put(SECOND, "valueString", to="breakfast")
    ),
    # Status bits
    Mutant(
        "a bit that is none",
        "bits",
        KPA,
        put(SECOND, "component", 0, "code", "coding", 0, "code", to="8410608.6"),
    ),
    Mutant(
        "a bit that is not set",
        "bits",
        KPA,
        put(SECOND, "component", 0, "valueBoolean", to=False),
        hl7=False,
    ),
    Mutant(
        "a bit as text",
        "bits",
        KPA,
        put(
            SECOND,
            "component",
            0,
            to={
                "code": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/ASN1ToHL7",
                            "code": "8410608.0",
                        }
                    ]
                },
                "valueString": "yes",
            },
        ),
        hl7=False,
    ),
    # Vital signs
    Mutant(
        "a temperature in kelvin", "vital_signs", WARM, put(FIRST, "valueQuantity", "code", to="K")
    ),
    Mutant("a pulse in 1/min", "vital_signs", BP, put(SECOND, "valueQuantity", "code", to="1/min")),
    Mutant("no diastolic", "blood_pressure", BP, drop(FIRST, "component", 1)),
    Mutant(
        "a systolic in kPa",
        "blood_pressure",
        BP,
        put(FIRST, "component", 0, "valueQuantity", "code", to="kPa"),
    ),
    # The clock pair
    Mutant("an amended clock pair", "clock_pair", BP, put(CLOCK, "status", to="amended")),
    Mutant(
        "a clock pair without the meter's",
        "clock_pair",
        BP,
        drop(CLOCK, "valueDateTime"),
        hl7=False,
    ),
    Mutant(
        "a meter's clock without offset",
        "clock_pair",
        BP,
        put(CLOCK, "valueDateTime", to="2026-11-22T08:30:42"),
    ),
    Mutant(
        "a clock both known and unknown",
        "clock_pair",
        BP,
        put(CLOCK, "dataAbsentReason", to=NO_NUMBER),
    ),
    Mutant(
        "a clock pair of a kind that is no clock",
        "clock_type",
        BP,
        put(CLOCK, "code", "coding", 0, "code", to="68220"),
    ),
    Mutant(
        "a clock pair derived from a measurement",
        "clock_pair",
        BP,
        lambda e: resource(e, CLOCK).update(derivedFrom=[{"reference": e[FIRST]["fullUrl"]}]),
    ),
    # Devices
    Mutant(
        "a meter of a gateway's type",
        "meter_type",
        BP,
        put(METER, "type", "coding", 0, "code", to="531981"),
    ),
    Mutant("a meter without type", "meter_type", BP, drop(METER, "type")),
    Mutant(
        "a gateway of a meter's type",
        "gateway_type",
        BP,
        put(GATEWAY, "type", "coding", 0, "code", to="65573"),
    ),
    Mutant(
        "no hardware identifier",
        "meter_identifier",
        BP,
        lambda e: resource(e, METER).update(identifier=resource(e, METER)["identifier"][:1]),
        hl7=False,
    ),
    Mutant(
        "a System ID without dashes",
        "meter_identifier",
        BP,
        put(METER, "identifier", 1, "value", to="5c313efffe010203"),
        hl7=False,
    ),
    Mutant(
        "a System ID of another system",
        "meter_identifier",
        BP,
        put(METER, "identifier", 1, "system", to="urn:oid:1.2.3"),
    ),
    Mutant(
        "no specialization version",
        "specialization_version",
        BP,
        drop(METER, "specialization", 0, "version"),
    ),
    Mutant("no specialization", "specialization", BP, drop(METER, "specialization")),
    Mutant(
        "a specialization that is none",
        "specialization",
        BP,
        put(METER, "specialization", 0, "systemType", "coding", 0, "code", to="65573"),
    ),
    Mutant("no manufacturer", "maker_and_model", BP, drop(METER, "manufacturer")),
    Mutant("no model", "maker_and_model", BP, drop(METER, "modelNumber")),
    Mutant("a blank model", "maker_and_model", BP, put(GATEWAY, "modelNumber", to=" ")),
    Mutant("no version", "versions", BP, drop(METER, "version")),
    Mutant("an empty version", "versions", BP, put(GATEWAY, "version", 0, "value", to="")),
    Mutant(
        "a version of no known kind",
        "versions",
        BP,
        put(METER, "version", 0, "type", "coding", 0, "code", to="65573"),
    ),
    Mutant(
        "a part of another device",
        "no_parent",
        BP,
        put(METER, "parent", to={"reference": "Device/1"}),
    ),
    Mutant("two ways to set the clock", "time_sync", BP, add(GATEWAY, "property", 0, "valueCode")),
    Mutant(
        "no way to set the clock",
        "time_sync",
        BP,
        put(GATEWAY, "property", 0, "valueCode", to=[]),
    ),
    # What a meter tells of its approval and its clock
    Mutant(
        "an interface of no known number",
        "certified_interfaces",
        TOLD,
        put(METER, "property", CERTIFIED, "valueCode", 0, "coding", 0, "code", to="8207"),
    ),
    Mutant(
        "two interfaces in one property",
        "certified_interfaces",
        TOLD,
        add(METER, "property", CERTIFIED, "valueCode"),
    ),
    Mutant(
        "an interface of nothing",
        "certified_interfaces",
        TOLD,
        drop(METER, "property", CERTIFIED, "valueCode"),
        hl7=False,
    ),
    Mutant(
        "a property of an unknown kind",
        "known_properties",
        TOLD,
        put(METER, "property", CERTIFIED, "type", "coding", 0, "code", to="532359"),
    ),
    Mutant(
        "a property of another kind",
        "known_properties",
        TOLD,
        put(METER, "property", CERTIFIED, "type", "coding", 0, "code", to="68221"),
    ),
    Mutant(
        "a regulation of a bit that is none",
        "known_properties",
        TOLD,
        put(METER, "property", UNREGULATED, "type", "coding", 0, "code", to="532354.1"),
    ),
    Mutant(
        "a regulation that is neither yes nor no",
        "answers",
        TOLD,
        put(METER, "property", UNREGULATED, "valueCode", 0, "coding", 0, "code", to="M"),
    ),
    Mutant(
        "a regulation by another list",
        "answers",
        TOLD,
        put(METER, "property", UNREGULATED, "valueCode", 0, "coding", 0, "system", to="urn:x"),
    ),
    Mutant(
        "a regulation in words",
        "answers",
        TOLD,
        put(METER, "property", UNREGULATED, "valueCode", to=[{"text": "regulated"}]),
        hl7=False,
    ),
    Mutant(
        "a regulation without an answer",
        "answers",
        TOLD,
        drop(METER, "property", UNREGULATED, "valueCode"),
    ),
    Mutant(
        "a regulation with a quantity",
        "answers",
        TOLD,
        put(METER, "property", UNREGULATED, "valueQuantity", to=[{"value": 1}]),
    ),
    Mutant(
        "regulated and not",
        "answers",
        TOLD,
        lambda e: resource(e, METER)["property"].append(
            copy.deepcopy(resource(e, METER)["property"][UNREGULATED])
        ),
    ),
    Mutant(
        "a clock of a bit that is none",
        "known_properties",
        TOLD,
        put(METER, "property", HAS_CLOCK, "type", "coding", 0, "code", to="68219.16"),
    ),
    Mutant(
        "a clock by another list of yes and no",
        "answers",
        TOLD,
        put(METER, "property", SETTABLE, "valueCode", 0, "coding", 0, "system", to="urn:x"),
    ),
    Mutant(
        "a clock that is set or not",
        "answers",
        TOLD,
        add(METER, "property", SETTABLE, "valueCode"),
    ),
    Mutant(
        "a USB product with a quantity",
        "usb_product",
        TOLD,
        lambda e: resource(e, METER)["property"][USB].update(
            valueCode=[{"text": "4660"}], valueQuantity=[{"value": 4660}]
        ),
    ),
    Mutant(
        "a UDI in a word of R5",
        "udi",
        TOLD,
        put(METER, "udiCarrier", 0, "entryType", to="electronic-transmission"),
    ),
    Mutant("a UDI by no URI", "udi", TOLD, put(METER, "udiCarrier", 0, "issuer", to="GS1 2.51")),
    Mutant("a UDI by no OID", "udi", TOLD, put(METER, "udiCarrier", 0, "issuer", to="urn:oid:2.x")),
    Mutant("an empty UDI", "udi", TOLD, put(METER, "udiCarrier", 0, to={})),
    Mutant("a UDI without text", "udi", TOLD, put(METER, "udiCarrier", 0, "carrierHRF", to="")),
    Mutant(
        "a second UDI",
        "udi",
        TOLD,
        add(METER, "udiCarrier"),
        hl7=False,
    ),
    Mutant(
        "a gateway that claims a certificate",
        "claims_nothing",
        TOLD,
        lambda e: resource(e, GATEWAY)["property"].append(
            copy.deepcopy(resource(e, METER)["property"][CERTIFIED])
        ),
        hl7=False,
    ),
)
