"""What is wrong with the pair of clocks that were read at once."""

from tests.fhir.mutants.mutant import (
    BP,
    CLOCK,
    FIRST,
    NO_NUMBER,
    VITAL_SIGNS,
    Mutant,
    add,
    drop,
    put,
    resource,
)

TIMESTAMPS: tuple[Mutant, ...] = (
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
        "nothing_else",
        BP,
        lambda e: resource(e, CLOCK).update(derivedFrom=[{"reference": e[FIRST]["fullUrl"]}]),
    ),
    Mutant("a clock pair without ours", "clock_pair", BP, drop(CLOCK, "effectiveDateTime")),
    Mutant("a clock of two kinds", "clock_type", BP, add(CLOCK, "code", "coding")),
    Mutant("a clock of no kind", "clock_type", BP, drop(CLOCK, "code", "coding", 0, "code")),
    Mutant("a clock pair of no meter", "nothing_else", BP, drop(CLOCK, "subject")),
    Mutant("a clock pair of no gateway", "nothing_else", BP, drop(CLOCK, "device")),
    Mutant(
        "a clock pair that is a vital sign",
        "nothing_else",
        BP,
        put(CLOCK, "category", to=[VITAL_SIGNS]),
        hl7=False,
    ),
    Mutant(
        "a clock pair of a second profile",
        "timestamp_claims",
        BP,
        add(CLOCK, "meta", "profile", item="http://hl7.org/fhir/StructureDefinition/Observation"),
        hl7=False,
    ),
)
