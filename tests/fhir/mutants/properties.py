"""What is wrong with what a meter tells of its approval and its clock."""

import copy

from tests.fhir.mutants.mutant import (
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

PROPERTIES: tuple[Mutant, ...] = (
    Mutant(
        "an interface of no known number",
        "certified_interfaces",
        TOLD,
        put(METER, "property", CERTIFIED, "valueCode", 0, "coding", 0, "code", to="8207"),
        hl7="ContinuaPHDInterfaceIDs#8207'",
    ),
    Mutant(
        "two interfaces in one property",
        "certified_interfaces",
        TOLD,
        add(METER, "property", CERTIFIED, "valueCode"),
        hl7="Device.property:continuaCertProperty.valueCode: max allowed",
    ),
    Mutant(
        "an interface of nothing",
        "certified_interfaces",
        TOLD,
        drop(METER, "property", CERTIFIED, "valueCode"),
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
        hl7="Device.property:timeSyncAccuracyProperty.valueQuantity: minimum required",
    ),
    Mutant(
        "a regulation of a bit that is none",
        "known_properties",
        TOLD,
        put(METER, "property", UNREGULATED, "type", "coding", 0, "code", to="532354.1"),
        hl7="ASN1ToHL7#532354.1'",
    ),
    Mutant(
        "a regulation that is neither yes nor no",
        "answers",
        TOLD,
        put(METER, "property", UNREGULATED, "valueCode", 0, "coding", 0, "code", to="M"),
        hl7="v2-0136#M'",
    ),
    Mutant(
        "a regulation by another list",
        "answers",
        TOLD,
        put(METER, "property", UNREGULATED, "valueCode", 0, "coding", 0, "system", to="urn:x"),
        hl7="Value is 'urn:x' but is fixed to",
    ),
    Mutant(
        "a regulation in words",
        "answers",
        TOLD,
        put(METER, "property", UNREGULATED, "valueCode", to=[{"text": "regulated"}]),
    ),
    Mutant(
        "a regulation without an answer",
        "answers",
        TOLD,
        drop(METER, "property", UNREGULATED, "valueCode"),
        hl7="Device.property:isRegulatedProperty.valueCode: minimum required",
    ),
    Mutant(
        "a regulation with a quantity",
        "answers",
        TOLD,
        put(METER, "property", UNREGULATED, "valueQuantity", to=[{"value": 1}]),
        hl7="Device.property:isRegulatedProperty.valueQuantity: max allowed",
    ),
    Mutant(
        "regulated and not",
        "answers",
        TOLD,
        lambda e: resource(e, METER)["property"].append(
            copy.deepcopy(resource(e, METER)["property"][UNREGULATED])
        ),
        hl7="Device.property:isRegulatedProperty: max allowed",
    ),
    Mutant(
        "a clock of a bit that is none",
        "known_properties",
        TOLD,
        put(METER, "property", HAS_CLOCK, "type", "coding", 0, "code", to="68219.16"),
        hl7="ASN1ToHL7#68219.16'",
    ),
    Mutant(
        "a clock by another list of yes and no",
        "answers",
        TOLD,
        put(METER, "property", SETTABLE, "valueCode", 0, "coding", 0, "system", to="urn:x"),
        hl7="Value is 'urn:x' but is fixed to",
    ),
    Mutant(
        "a clock that is set or not",
        "answers",
        TOLD,
        add(METER, "property", SETTABLE, "valueCode"),
        hl7="Device.property:clockBitProperty.valueCode: max allowed",
    ),
    Mutant(
        "a USB product with a quantity",
        "usb_product",
        TOLD,
        lambda e: resource(e, METER)["property"][USB].update(
            valueCode=[{"text": "4660"}], valueQuantity=[{"value": 4660}]
        ),
        hl7="Device.property:USB-VID-PID.valueQuantity: max allowed",
    ),
    Mutant(
        "a UDI in a word of R5",
        "udi",
        TOLD,
        put(METER, "udiCarrier", 0, "entryType", to="electronic-transmission"),
        hl7="was not found in the value set 'UDIEntryType'",
    ),
    Mutant(
        "a UDI by no URI",
        "udi",
        TOLD,
        put(METER, "udiCarrier", 0, "issuer", to="GS1 2.51"),
        hl7="URI values cannot have whitespace('GS1 2.51')",
    ),
    Mutant(
        "a UDI by no OID",
        "udi",
        TOLD,
        put(METER, "udiCarrier", 0, "issuer", to="urn:oid:2.x"),
        hl7="OIDs must be valid",
    ),
    Mutant(
        "an empty UDI",
        "udi",
        TOLD,
        put(METER, "udiCarrier", 0, to={}),
        hl7="Object must have some content",
    ),
    Mutant(
        "a UDI without text",
        "udi",
        TOLD,
        put(METER, "udiCarrier", 0, "carrierHRF", to=""),
        hl7="Constraint failed: ele-1",
    ),
    Mutant("a second UDI", "udi", TOLD, add(METER, "udiCarrier")),
    Mutant(
        "a gateway that claims a certificate",
        "claims_nothing",
        TOLD,
        lambda e: resource(e, GATEWAY)["property"].append(
            copy.deepcopy(resource(e, METER)["property"][CERTIFIED])
        ),
    ),
)
