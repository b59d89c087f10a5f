"""What is wrong with an Observation: its category, status, time and codes."""

from tests.fhir.mutants.mutant import (
    BP,
    FIRST,
    KPA,
    LOINC,
    MEAL,
    OXY,
    PHD_CATEGORY,
    SECOND,
    SUGAR,
    UNTIMED,
    VITAL_SIGNS,
    WARM,
    WEIGHT_CODE,
    Mutant,
    add,
    drop,
    put,
    resource,
)

OBSERVATIONS: tuple[Mutant, ...] = (
    # Category, status, interpretation
    Mutant(
        "no PHD category",
        "phd_category",
        BP,
        drop(FIRST, "category", 1),
        hl7="Slice 'Observation.category:PHD-Observation': a matching slice is required",
    ),
    Mutant(
        "no category",
        "phd_category",
        SUGAR,
        drop(FIRST, "category"),
        hl7="Observation.category: minimum required",
    ),
    Mutant(
        "two PHD categories",
        "phd_category",
        BP,
        add(FIRST, "category", item=PHD_CATEGORY),
        hl7="Observation.category:PHD-Observation: max allowed",
    ),
    Mutant(
        "no vital-signs category",
        "vital_signs",
        BP,
        drop(FIRST, "category", 0),
        hl7="Slice 'Observation.category:VSCat': a matching slice is required",
    ),
    Mutant(
        "a vital sign that is none", "vital_signs", SUGAR, add(FIRST, "category", item=VITAL_SIGNS)
    ),
    Mutant(
        "an unknown status",
        "status",
        BP,
        put(FIRST, "status", to="finall"),
        hl7="was not found in the value set 'ObservationStatus'",
    ),
    Mutant("corrected", "status", BP, put(FIRST, "status", to="corrected")),
    Mutant(
        "two measurement statuses in one",
        "interpretation",
        OXY,
        add(FIRST, "interpretation", 0, "coding"),
        hl7="Observation.interpretation.coding:MsmtStatusInterpretation: max allowed",
    ),
    Mutant(
        "no status",
        "status",
        BP,
        drop(FIRST, "status"),
        hl7="Observation.status: minimum required",
    ),
    Mutant(
        "an interpretation of no measurement status",
        "interpretation",
        OXY,
        put(FIRST, "interpretation", 0, "coding", 0, "system", to="urn:x"),
        hl7="Slice 'Observation.interpretation.coding:MsmtStatusInterpretation'",
    ),
    # Time
    Mutant(
        "no effective time",
        "moments",
        BP,
        drop(FIRST, "effectiveDateTime"),
        hl7="Observation.effective[x]: minimum required",
    ),
    Mutant(
        "no word why the time is unknown",
        "moments",
        UNTIMED,
        drop(3, "_effectiveDateTime"),
        hl7="Observation.effective[x]: minimum required",
    ),
    Mutant(
        "a time without offset",
        "moments",
        BP,
        put(FIRST, "effectiveDateTime", to="2026-11-22T08:30:00"),
        hl7="If a date has a time, it must have a timezone",
    ),
    Mutant(
        "an impossible time",
        "moments",
        BP,
        put(FIRST, "effectiveDateTime", to="2026-13-22T08:30:00+01:00"),
        hl7="Not a valid date/time format: '2026-13-22T08:30:00+01:00'",
    ),
    Mutant(
        "a meter's stamp as issued",
        "moments",
        BP,
        put(FIRST, "issued", to="2026-11-22"),
        hl7="Not a valid instant format: '2026-11-22'",
    ),
    Mutant(
        "a measurement of the next century",
        "reasonable_years",
        BP,
        put(FIRST, "effectiveDateTime", to="2126-11-22T08:30:20+01:00"),
    ),
    Mutant(
        "a time both known and unknown",
        "moments",
        BP,
        lambda e: resource(e, FIRST).update(
            _effectiveDateTime={
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
                        "valueCode": "unknown",
                    }
                ]
            }
        ),
    ),
    Mutant(
        "a span of time",
        "moments",
        BP,
        lambda e: resource(e, FIRST).update(
            effectivePeriod={"end": resource(e, FIRST).pop("effectiveDateTime")}
        ),
    ),
    # Codes
    Mutant("no MDC code", "mdc_code", BP, drop(FIRST, "code", "coding", 0)),
    Mutant(
        "no MDC code of a part", "compound", BP, drop(FIRST, "component", 0, "code", "coding", 0)
    ),
    Mutant(
        "no code of a part",
        "mdc_code",
        BP,
        put(FIRST, "component", 0, "code", to={"text": "high"}),
        hl7="Slice 'Observation.component:SystolicBP': a matching slice is required",
    ),
    Mutant(
        "a second MDC coding",
        "dk_core_slices",
        SUGAR,
        add(FIRST, "code", "coding", item=WEIGHT_CODE),
        hl7="Observation.code.coding:IEEE: max allowed",
    ),
    Mutant(
        "a second MDC coding of a part",
        "compound",
        BP,
        add(FIRST, "component", 0, "code", "coding", item=WEIGHT_CODE),
        hl7="Observation.component:compound.code.coding:MdcType: max allowed",
    ),
    Mutant(
        "a second LOINC coding of a part",
        "dk_core_slices",
        BP,
        add(FIRST, "component", 0, "code", "coding", item=LOINC),
        hl7="Observation.component.code.coding:LOINC: max allowed",
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
    Mutant(
        "a meal that is a weight",
        "answers_of_the_topic",
        MEAL,
        put(SECOND, "valueCodeableConcept", "coding", 0, to=WEIGHT_CODE),
    ),
    Mutant(
        "a meal without words",
        "answers_of_the_topic",
        MEAL,
        drop(SECOND, "valueCodeableConcept", "text"),
    ),
    Mutant(
        "a code under another's name",
        "terminology",
        WARM,
        put(FIRST, "code", "coding", 0, "display", to="MDC_MASS_BODY_ACTUAL"),
    ),
    Mutant(
        "a code that no source confirms",
        "terminology",
        SUGAR,
        put(FIRST, "code", "coding", 0, "code", to="160999"),
    ),
    Mutant(
        "a bit under another's name",
        "terminology",
        KPA,
        put(SECOND, "component", 0, "code", "coding", 0, "display", to="cuff-too-loose"),
    ),
    Mutant(
        "an interpretation that no list has",
        "terminology",
        OXY,
        put(FIRST, "interpretation", 0, "coding", 0, "code", to="quite-good"),
    ),
    Mutant(
        "a temperature that is called a weight elsewhere",
        "also_called",
        WARM,
        put(FIRST, "code", "coding", 1, to=LOINC),
        hl7="was not found in the value set 'Body Weight Units'",
    ),
    Mutant(
        "a Danish code under one of its systems alone",
        "also_called",
        WARM,
        drop(FIRST, "code", "coding", 3),
    ),
)
