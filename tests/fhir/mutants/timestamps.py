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
    Mutant(
        "an amended clock pair",
        "clock_pair",
        BP,
        put(CLOCK, "status", to="amended"),
        hl7="Value is 'amended' but is fixed to",
    ),
    Mutant("a clock pair without the meter's", "clock_pair", BP, drop(CLOCK, "valueDateTime")),
    Mutant(
        "a meter's clock without offset",
        "clock_pair",
        BP,
        put(CLOCK, "valueDateTime", to="2026-11-22T08:30:42"),
        hl7="If a date has a time, it must have a timezone",
    ),
    Mutant(
        "a clock both known and unknown",
        "clock_pair",
        BP,
        put(CLOCK, "dataAbsentReason", to=NO_NUMBER),
        hl7="Constraint failed: obs-6",
    ),
    Mutant(
        "a clock pair of a kind that is no clock",
        "clock_type",
        BP,
        put(CLOCK, "code", "coding", 0, "code", to="68220"),
        hl7="Slice 'Observation.code.coding:MDCType': a matching slice is required",
    ),
    Mutant(
        "a clock pair derived from a measurement",
        "nothing_else",
        BP,
        lambda e: resource(e, CLOCK).update(derivedFrom=[{"reference": e[FIRST]["fullUrl"]}]),
        hl7="Observation.derivedFrom: max allowed",
    ),
    Mutant("a clock pair without ours", "clock_pair", BP, drop(CLOCK, "effectiveDateTime")),
    Mutant(
        "a clock of two kinds",
        "clock_type",
        BP,
        add(CLOCK, "code", "coding"),
        hl7="Observation.code.coding:MDCType: max allowed",
    ),
    Mutant("a clock of no kind", "clock_type", BP, drop(CLOCK, "code", "coding", 0, "code")),
    Mutant(
        "a clock pair of no meter",
        "nothing_else",
        BP,
        drop(CLOCK, "subject"),
        hl7="Observation.subject: minimum required",
    ),
    Mutant(
        "a clock pair of no gateway",
        "nothing_else",
        BP,
        drop(CLOCK, "device"),
        hl7="Observation.device: minimum required",
    ),
    Mutant(
        "a clock pair that is a vital sign",
        "nothing_else",
        BP,
        put(CLOCK, "category", to=[VITAL_SIGNS]),
    ),
    Mutant(
        "a clock pair of a second profile",
        "timestamp_claims",
        BP,
        add(CLOCK, "meta", "profile", item="http://hl7.org/fhir/StructureDefinition/Observation"),
    ),
)
