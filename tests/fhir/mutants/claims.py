"""What is wrong with what an Observation claims to be, and with its structure."""

from tests.fhir.mutants.mutant import (
    BP,
    FIRST,
    KPA,
    MEAL,
    SUGAR,
    WEIGHT_CODE,
    Mutant,
    add,
    drop,
    put,
    resource,
)

PHD = "http://hl7.org/fhir/uv/phd/StructureDefinition/"

CLAIMS: tuple[Mutant, ...] = (
    Mutant("DK Core not claimed", "claims", BP, drop(FIRST, "meta", "profile", 1)),
    Mutant(
        "a panel that claims to be one number",
        "claims",
        BP,
        put(FIRST, "meta", "profile", 0, to=f"{PHD}PhdNumericObservation"),
    ),
    Mutant(
        "a number that claims to be a panel",
        "claims",
        SUGAR,
        put(FIRST, "meta", "profile", 0, to=f"{PHD}PhdCompoundNumericObservation"),
        hl7="Observation.value[x]: max allowed",
    ),
    Mutant(
        "an Observation that claims a profile nobody knows",
        "claims",
        SUGAR,
        add(FIRST, "meta", "profile", item="urn:x"),
        hl7="Profile reference 'urn:x' has not been checked because it could not be found",
    ),
    Mutant(
        "an extension nobody knows",
        "known_extensions",
        BP,
        add(FIRST, "extension", item={"url": "urn:x", "valueString": "a"}),
        hl7="The extension urn:x could not be found so is not allowed here",
    ),
    Mutant(
        "the gateway's extension on a part",
        "known_extensions",
        BP,
        lambda e: resource(e, FIRST)["component"][0].update(
            extension=resource(e, FIRST)["extension"][:1]
        ),
        hl7="observation-gatewayDevice is not allowed to be used at this point",
    ),
    Mutant(
        "an element of no Observation",
        "is_fhir",
        SUGAR,
        put(FIRST, "colour", to="red"),
        hl7="Unrecognized property 'colour'",
    ),
    Mutant(
        "an empty name",
        "is_fhir",
        SUGAR,
        put(FIRST, "code", "coding", 0, "display", to=""),
        hl7="Constraint failed: ele-1",
    ),
    Mutant(
        "an empty note",
        "is_fhir",
        MEAL,
        put(FIRST, "note", to=[{}]),
        hl7="Object must have some content",
    ),
    Mutant(
        "a panel of no parts",
        "is_fhir",
        BP,
        put(FIRST, "component", to=[]),
        hl7="Array cannot be empty",
    ),
    Mutant("a panel without parts", "compound", KPA, drop(FIRST, "component")),
    Mutant(
        "a part of another panel",
        "compound",
        KPA,
        put(FIRST, "component", 2, "code", "coding", 0, to=WEIGHT_CODE),
    ),
    Mutant("a part twice", "compound", KPA, add(FIRST, "component")),
)
