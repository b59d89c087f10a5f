"""What is wrong with an Observation: its claims, category, status, time and codes."""

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

PHD = "http://hl7.org/fhir/uv/phd/StructureDefinition/"

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
    Mutant("corrected", "status", BP, put(FIRST, "status", to="corrected"), hl7=False),
    Mutant(
        "two measurement statuses in one",
        "interpretation",
        OXY,
        add(FIRST, "interpretation", 0, "coding"),
    ),
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
        hl7=False,
    ),
    Mutant(
        "a span of time",
        "moments",
        BP,
        lambda e: resource(e, FIRST).update(
            effectivePeriod={"end": resource(e, FIRST).pop("effectiveDateTime")}
        ),
        hl7=False,
    ),
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
    Mutant(
        "a meal that is a weight",
        "answers_of_the_topic",
        MEAL,
        put(SECOND, "valueCodeableConcept", "coding", 0, to=WEIGHT_CODE),
        hl7=False,
    ),
    Mutant(
        "a meal without words",
        "answers_of_the_topic",
        MEAL,
        drop(SECOND, "valueCodeableConcept", "text"),
        hl7=False,
    ),
    Mutant(
        "a code under another's name",
        "terminology",
        WARM,
        put(FIRST, "code", "coding", 0, "display", to="MDC_MASS_BODY_ACTUAL"),
        hl7=False,
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
        hl7=False,
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
    ),
    Mutant(
        "a Danish code under one of its systems alone",
        "also_called",
        WARM,
        drop(FIRST, "code", "coding", 3),
        hl7=False,
    ),
    # Claims and structure
    Mutant("DK Core not claimed", "claims", BP, drop(FIRST, "meta", "profile", 1), hl7=False),
    Mutant(
        "a panel that claims to be one number",
        "claims",
        BP,
        put(FIRST, "meta", "profile", 0, to=f"{PHD}PhdNumericObservation"),
        hl7=False,
    ),
    Mutant(
        "a number that claims to be a panel",
        "claims",
        SUGAR,
        put(FIRST, "meta", "profile", 0, to=f"{PHD}PhdCompoundNumericObservation"),
    ),
    Mutant(
        "an Observation that claims a profile nobody knows",
        "claims",
        SUGAR,
        add(FIRST, "meta", "profile", item="urn:x"),
    ),
    Mutant(
        "an extension nobody knows",
        "known_extensions",
        BP,
        add(FIRST, "extension", item={"url": "urn:x", "valueString": "a"}),
    ),
    Mutant(
        "the gateway's extension on a part",
        "known_extensions",
        BP,
        lambda e: resource(e, FIRST)["component"][0].update(
            extension=resource(e, FIRST)["extension"][:1]
        ),
    ),
    Mutant("an element of no Observation", "is_fhir", SUGAR, put(FIRST, "colour", to="red")),
    Mutant("an empty name", "is_fhir", SUGAR, put(FIRST, "code", "coding", 0, "display", to="")),
    Mutant("an empty note", "is_fhir", MEAL, put(FIRST, "note", to=[{}])),
    Mutant("a panel of no parts", "is_fhir", BP, put(FIRST, "component", to=[])),
    Mutant("a panel without parts", "compound", KPA, drop(FIRST, "component"), hl7=False),
    Mutant(
        "a part of another panel",
        "compound",
        KPA,
        put(FIRST, "component", 2, "code", "coding", 0, to=WEIGHT_CODE),
        hl7=False,
    ),
    Mutant(
        "a part twice",
        "compound",
        KPA,
        add(FIRST, "component"),
        hl7=False,
    ),
)
