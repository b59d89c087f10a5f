"""What is wrong with an Observation: its category, status, time and codes; and the clock pair."""

from tests.fhir.mutants.mutant import (
    BP,
    CLOCK,
    FIRST,
    LOINC,
    NO_NUMBER,
    OXY,
    PHD_CATEGORY,
    SUGAR,
    UNTIMED,
    VITAL_SIGNS,
    WEIGHT_CODE,
    Mutant,
    add,
    drop,
    put,
    resource,
)

OBSERVATIONS: tuple[Mutant, ...] = (
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
)
