"""What is wrong with the Bundle: its requests, references and test labels."""

from tests.fhir.mutants.mutant import (
    AMENDED,
    BP,
    CITIZEN,
    CLOCK,
    ENTRY,
    FIRST,
    GATEWAY,
    HTEST,
    KPA,
    MEAL,
    METER,
    SECOND,
    Mutant,
    add,
    another,
    asked,
    creates,
    drop,
    leads,
    put,
    resource,
    updates,
)

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
    Mutant("measured by the gateway", "references_lead", BP, leads(FIRST, "device", to=GATEWAY)),
    Mutant("the gateway's own clock", "references_lead", BP, leads(CLOCK, "subject", to=GATEWAY)),
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
    # What is asked of the server
    Mutant("an Observation deleted", "request", BP, asked(FIRST, method="DELETE"), hl7=False),
    Mutant("an Observation patched", "request", BP, asked(FIRST, method="PATCH"), hl7=False),
    Mutant("a first version that updates", "request", BP, updates(FIRST), hl7=False),
    Mutant("a Device that a reading updates", "request", BP, updates(METER), hl7=False),
    Mutant("an amended reading that is created", "request", AMENDED, creates(FIRST), hl7=False),
    Mutant(
        "created under a second condition",
        "own_identifier",
        BP,
        lambda e: e[FIRST]["request"].update(
            ifNoneExist=e[FIRST]["request"]["ifNoneExist"] + "&status=final"
        ),
        hl7=False,
    ),
    Mutant(
        "two resources of one identifier",
        "own_identifier",
        BP,
        lambda e: (
            resource(e, SECOND).update(identifier=resource(e, FIRST)["identifier"][:1]),
            e[SECOND]["request"].update(ifNoneExist=e[FIRST]["request"]["ifNoneExist"]),
        ),
        hl7=False,
    ),
    Mutant("two meters", "one_of_each", BP, lambda e: e.append(another(e[METER])), hl7=False),
    Mutant(
        "two clock pairs read", "one_of_each", BP, lambda e: e.append(another(e[CLOCK])), hl7=False
    ),
    Mutant("no meter", "one_of_each", BP, lambda e: e.pop(METER), hl7=False),
    # What leads where
    Mutant(
        "measured on a meter", "references_lead", BP, leads(FIRST, "subject", to=METER), hl7=False
    ),
    Mutant("performed by a meter", "references_lead", BP, leads(FIRST, "performer", 0, to=METER)),
    Mutant(
        "a gateway that is the meter",
        "references_lead",
        BP,
        leads(FIRST, "extension", 0, "valueReference", to=METER),
    ),
    Mutant(
        "a clock pair that is the meter",
        "references_lead",
        BP,
        leads(FIRST, "extension", 1, "valueReference", to=METER),
    ),
    Mutant(
        "a clock pair that is a measurement",
        "references_lead",
        BP,
        leads(FIRST, "extension", 1, "valueReference", to=SECOND),
    ),
    Mutant(
        "a status of a Device", "references_lead", KPA, leads(SECOND, "derivedFrom", 0, to=METER)
    ),
    Mutant(
        "a circumstance of another one",
        "references_lead",
        MEAL,
        leads(SECOND + 1, "derivedFrom", 0, to=SECOND),
        hl7=False,
    ),
    Mutant(
        "a pulse that is derived from the pressure",
        "derived_from",
        BP,
        lambda e: resource(e, SECOND).update(derivedFrom=[{"reference": e[FIRST]["fullUrl"]}]),
        hl7=False,
    ),
    # Test data
    Mutant(
        "a simulated pulse that is not marked",
        "marked_as_test_data",
        ENTRY,
        drop(SECOND, "meta", "security"),
        hl7=False,
    ),
    Mutant(
        "a simulated citizen who is not marked",
        "marked_as_test_data",
        ENTRY,
        drop(CITIZEN, "meta", "security"),
        hl7=False,
    ),
    Mutant(
        "a simulated meter that is not marked",
        "marked_as_test_data",
        ENTRY,
        drop(METER, "meta", "security"),
        hl7=False,
    ),
    Mutant(
        "a pulse alone marked as test data",
        "marked_as_test_data",
        BP,
        put(SECOND, "meta", "security", to=[HTEST]),
        hl7=False,
    ),
    Mutant("HTEST twice", "marked_as_test_data", ENTRY, add(FIRST, "meta", "security")),
    Mutant(
        "HTEST of another system",
        "marked_as_test_data",
        ENTRY,
        put(FIRST, "meta", "security", 0, "system", to="urn:x"),
    ),
)
