"""What is wrong with the meter and the gateway."""

import copy

from tests.fhir.mutants.mutant import (
    BP,
    CERTIFIED,
    GATEWAY,
    HAS_CLOCK,
    METER,
    SETTABLE,
    TOLD,
    UNREGULATED,
    USB,
    Mutant,
    add,
    drop,
    put,
    resource,
)

DEVICES: tuple[Mutant, ...] = (
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
    # How often and in which elements
    Mutant("a meter of no profile", "device_claims", BP, drop(METER, "meta", "profile", 0)),
    Mutant(
        "a gateway of a second profile",
        "device_claims",
        BP,
        add(GATEWAY, "meta", "profile", item="http://hl7.org/fhir/StructureDefinition/Device"),
        hl7=False,
    ),
    Mutant(
        "a meter out of use", "known_elements", BP, put(METER, "status", to="inactive"), hl7=False
    ),
    Mutant("two types of a meter", "one_type", BP, add(METER, "type", "coding")),
    Mutant("two types of a gateway", "one_type", BP, add(GATEWAY, "type", "coding")),
    Mutant(
        "one specialization twice",
        "one_specialization",
        BP,
        add(METER, "specialization"),
        hl7=False,
    ),
    Mutant(
        "a specialization without code",
        "one_specialization",
        BP,
        drop(METER, "specialization", 0, "systemType", "coding", 0, "code"),
    ),
    Mutant("one version twice", "one_version_of_a_kind", BP, add(METER, "version"), hl7=False),
    Mutant(
        "the version of a part",
        "one_version_of_a_kind",
        BP,
        put(METER, "version", 0, "component", to={"value": "1"}),
    ),
    Mutant(
        "two System IDs",
        "one_identifier_of_a_kind",
        BP,
        lambda e: resource(e, METER)["identifier"].append(
            {**resource(e, METER)["identifier"][1], "value": "5C-31-3E-FF-FE-01-02-04"}
        ),
    ),
    Mutant(
        "two Bluetooth addresses",
        "one_identifier_of_a_kind",
        BP,
        lambda e: resource(e, METER)["identifier"].append(resource(e, METER)["identifier"][2]),
    ),
    Mutant(
        "a System ID that is no number",
        "meter_identifier",
        BP,
        put(METER, "identifier", 1, "value", to="ZZ-31-3E-FF-FE-01-02-03"),
        hl7=False,
    ),
    Mutant(
        "a System ID without value",
        "one_identifier_of_a_kind",
        BP,
        drop(METER, "identifier", 1, "value"),
    ),
    Mutant(
        "two ways of the gateway's clock", "one_property_of_a_kind", BP, add(GATEWAY, "property")
    ),
    Mutant(
        "a USB product of two kinds",
        "one_property_of_a_kind",
        TOLD,
        add(METER, "property", USB, "type", "coding"),
        hl7=False,
    ),
)
