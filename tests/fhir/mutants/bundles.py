"""What is wrong with the Bundle: its requests, references and identifiers."""

from tests.fhir.mutants.mutant import (
    AMENDED,
    BP,
    CLOCK,
    FIRST,
    METER,
    Mutant,
    add,
    asked,
    drop,
    put,
    resource,
    to_gateway,
)

OLD_FORM = "5C313EFFFE010203-p-1-150020-20181113175903.00"  # PHD 1.0's, which 2.0's examples keep

BUNDLES: tuple[Mutant, ...] = (
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
)
