"""What is wrong with the names: of readings by PHD's recipe, and of the citizen."""

from tests.fhir.mutants.mutant import (
    BP,
    CITIZEN,
    ENTRY,
    FIRST,
    MEAL,
    OXY,
    SECOND,
    Change,
    Json,
    Mutant,
    add,
    drop,
    put,
    resource,
)

OLD_FORM = "5C313EFFFE010203-p-1-150020-20181113175903.00"  # PHD 1.0's, which 2.0's examples keep
CPR = {"system": "urn:oid:1.2.208.176.1.2", "value": "0101700000"}
BY_THE_METER, CORRECTED = "848651400", "848647820"  # seconds since 2000: its clock, and UTC


def replaced(entry: int, old: str, new: str) -> Change:
    """Another word in PHD's identifier."""

    def change(entries: list[Json]) -> None:
        identifier = resource(entries, entry)["identifier"][1]
        assert old in identifier["value"]
        identifier["value"] = identifier["value"].replace(old, new)

    return change


def two_subjects(entries: list[Json]) -> None:
    other = {"reference": "Patient/other"}
    resource(entries, SECOND).update(subject=other, performer=[other])
    del resource(entries, SECOND)["identifier"][1]


IDENTITIES: tuple[Mutant, ...] = (
    # Identifiers
    Mutant(
        "two PHD identifiers",
        "phd_identifier",
        BP,
        lambda e: resource(e, FIRST)["identifier"].append(resource(e, FIRST)["identifier"][1]),
        hl7="Observation.identifier:conditionalCreate: max allowed",
    ),
    Mutant(
        "a PHD identifier with a type",
        "plain_identifiers",
        BP,
        put(FIRST, "identifier", 1, "type", to={"text": "PHD"}),
        hl7="Observation.identifier:conditionalCreate.type: max allowed",
    ),
    Mutant(
        "a PHD identifier without value",
        "phd_identifier",
        BP,
        drop(FIRST, "identifier", 1, "value"),
        hl7="Observation.identifier:conditionalCreate.value: minimum required",
    ),
    Mutant(
        "the PHD identifier's old form",
        "phd_identifier",
        BP,
        put(FIRST, "identifier", 1, "value", to=OLD_FORM),
    ),
    Mutant(
        "a PHD identifier in small letters",
        "phd_identifier",
        BP,
        put(FIRST, "identifier", 1, "value", to="5c31-x-150020-1"),
    ),
    Mutant(
        "the PHD identifier of another type",
        "phd_identifier",
        BP,
        put(FIRST, "code", "coding", 0, "code", to="149530"),
    ),
    Mutant(
        "the PHD identifier of another meter",
        "phd_identifier",
        BP,
        replaced(FIRST, "5C313EFFFE010203", "5C313EFFFE010204"),
    ),
    Mutant(
        "a PHD identifier without the citizen's system",
        "phd_identifier",
        BP,
        replaced(FIRST, "-urn:ietf:rfc:3986", ""),
    ),
    Mutant(
        "a PHD identifier without its supplemental type",
        "phd_identifier",
        OXY,
        replaced(FIRST, "-150588", ""),
    ),
    Mutant(
        "one PHD identifier for two",
        "phd_identifier",
        BP,
        lambda e: put(SECOND, "identifier", 1, to=resource(e, FIRST)["identifier"][1])(e),
    ),
    Mutant(
        "a PHD identifier by the corrected time",
        "stamped_as_the_meter_said",
        BP,
        lambda e: [replaced(n, BY_THE_METER, CORRECTED)(e) for n in (FIRST, SECOND)],
    ),
    Mutant(
        "a PHD identifier left out", "stamped_as_the_meter_said", BP, drop(FIRST, "identifier", 1)
    ),
    Mutant(
        "a third identifier",
        "plain_identifiers",
        BP,
        lambda e: resource(e, FIRST)["identifier"].append({"system": "urn:x", "value": "1"}),
    ),
    # The citizen
    Mutant("two citizens", "one_citizen", BP, two_subjects),
    Mutant(
        "a citizen whom nothing is about",
        "one_citizen",
        ENTRY,
        lambda e: [
            resource(e, n).update(subject={"reference": "Patient/other"}) for n in (FIRST, SECOND)
        ],
    ),
    Mutant("no word of who measured", "performed_by_the_citizen", BP, drop(FIRST, "performer")),
    Mutant(
        "measured by the citizen and by another",
        "performed_by_the_citizen",
        MEAL,
        lambda e: resource(e, FIRST).update(performer=[resource(e, FIRST)["subject"]]),
    ),
    Mutant(
        "a citizen by CPR number", "no_register_number", ENTRY, add(CITIZEN, "identifier", item=CPR)
    ),
    Mutant(
        "a CPR number under another system",
        "no_register_number",
        ENTRY,
        put(
            CITIZEN,
            "identifier",
            0,
            to={"system": "urn:oid:1.2.208.184.9999", "value": "010170-0000"},
        ),
    ),
    Mutant(
        "a CPR number in a reference",
        "no_register_number",
        BP,
        put(FIRST, "subject", "reference", to="Patient?identifier=urn:oid:1.2%7C0101700000"),
    ),
    Mutant(
        "a citizen with a name",
        "an_identifier_alone",
        ENTRY,
        put(CITIZEN, "name", to=[{"text": "A"}]),
    ),
    Mutant(
        "a citizen without identifier",
        "an_identifier_alone",
        ENTRY,
        drop(CITIZEN, "identifier"),
        hl7="subject: Unable to find a profile match",
    ),
    Mutant(
        "a citizen of no profile",
        "patient_claims",
        ENTRY,
        put(CITIZEN, "meta", "profile", to=["http://hl7.org/fhir/StructureDefinition/Patient"]),
    ),
)
