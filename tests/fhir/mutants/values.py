"""What is wrong with what was measured: numbers, units, bits, vital signs."""

from decimal import Decimal

from tests.fhir.mutants.mutant import (
    BP,
    FIRST,
    KPA,
    MEAL,
    NO_NUMBER,
    SECOND,
    SUGAR,
    WARM,
    Change,
    Mutant,
    add,
    drop,
    put,
    resource,
)


def measured_in(code: str, unit: str) -> Change:
    return lambda entries: resource(entries, FIRST)["valueQuantity"].update(code=code, unit=unit)


VALUES: tuple[Mutant, ...] = (
    # Values
    Mutant(
        "no value",
        "value_or_reason",
        "weight",
        drop(FIRST, "valueQuantity"),
        hl7="Constraint failed: vs-2",
    ),
    Mutant("a glucose without value", "value_or_reason", SUGAR, drop(FIRST, "valueQuantity")),
    Mutant(
        "a part without value",
        "value_or_reason",
        BP,
        drop(FIRST, "component", 0, "valueQuantity"),
        hl7="Constraint failed: vs-3",
    ),
    Mutant(
        "a value beside its reason",
        "value_or_reason",
        SUGAR,
        put(FIRST, "dataAbsentReason", to=NO_NUMBER),
        hl7="Constraint failed: obs-6",
    ),
    Mutant(
        "a part's value beside its reason",
        "value_or_reason",
        BP,
        put(FIRST, "component", 0, "dataAbsentReason", to=NO_NUMBER),
    ),
    Mutant(
        "a reason from another list",
        "value_or_reason",
        "glucose-high",
        put(FIRST, "dataAbsentReason", "coding", 0, "code", to="too-high"),
        hl7="data-absent-reason#too-high'",
    ),
    Mutant(
        "a unit of no system",
        "quantities",
        SUGAR,
        drop(FIRST, "valueQuantity", "system"),
        hl7="Constraint failed: qty-3",
    ),
    Mutant(
        "a unit of another system",
        "quantities",
        SUGAR,
        put(FIRST, "valueQuantity", "system", to="urn:x"),
        hl7="Value is 'urn:x' but is fixed to",
    ),
    Mutant(
        "bad UCUM",
        "quantities",
        SUGAR,
        put(FIRST, "valueQuantity", "code", to="mmol/Liter"),
        hl7="The unit 'Liter' is unknown",
    ),
    Mutant(
        "no unit code",
        "quantities",
        BP,
        drop(FIRST, "component", 0, "valueQuantity", "code"),
        hl7="Observation.component:compound.value[x].code: minimum required",
    ),
    Mutant(
        "no number",
        "quantities",
        SUGAR,
        drop(FIRST, "valueQuantity", "value"),
        hl7="Observation.value[x].value: minimum required",
    ),
    Mutant(
        "a number as text",
        "quantities",
        SUGAR,
        put(FIRST, "valueQuantity", "value", to="6.10"),
        hl7="Error parsing JSON: the primitive value must be a number",
    ),
    Mutant(
        "a second value",
        "profile_shape",
        SUGAR,
        put(FIRST, "valueString", to="6.1"),
        hl7="Unrecognized property 'valueString'",
    ),
    Mutant("no profile", "claims", SUGAR, put(FIRST, "meta", "profile", to=[])),
    Mutant(
        "a part's second value",
        "compound",
        BP,
        put(FIRST, "component", 0, "valueString", to="121"),
        hl7="Unrecognized property 'valueString'",
    ),
    Mutant(
        "a panel's own value",
        "profile_shape",
        BP,
        put(FIRST, "valueString", to="121/81"),
        hl7="Observation.value[x]: max allowed",
    ),
    Mutant(
        "a circumstance as text",
        "profile_shape",
        MEAL,
        put(SECOND, "valueString", to="breakfast"),
        hl7="Unrecognized property 'valueString'",
    ),
    Mutant("a glucose in kilograms", "unit_of_the_code", SUGAR, measured_in("kg", "kg")),
    Mutant("a glucose in percent", "unit_of_the_code", SUGAR, measured_in("%", "%")),
    Mutant(
        "a mean pressure a minute",
        "unit_of_the_code",
        KPA,
        put(FIRST, "component", 2, "valueQuantity", "code", to="/min"),
    ),
    Mutant(
        "a unit that is written as another", "quantities", SUGAR, measured_in("mmol/L", "mg/dL")
    ),
    Mutant(
        "more than a number", "possible", SUGAR, put(FIRST, "valueQuantity", "comparator", to=">")
    ),
    Mutant(
        "less glucose than none",
        "possible",
        SUGAR,
        put(FIRST, "valueQuantity", "value", to=Decimal("-6.10")),
    ),
    Mutant(
        "a height below the ground",
        "possible",
        "weight",
        put(SECOND + 1, "valueQuantity", "value", to=Decimal("-177.0")),
    ),
    Mutant(
        "a reason that no meter has",
        "value_or_reason",
        "glucose-high",
        put(FIRST, "dataAbsentReason", "coding", 0, "code", to="masked"),
    ),
    Mutant(
        "a reason in words",
        "value_or_reason",
        "glucose-high",
        put(FIRST, "dataAbsentReason", to={"text": "HI"}),
    ),
    # Status bits
    Mutant(
        "a bit of another meter",
        "bits",
        KPA,
        put(SECOND, "component", 0, "code", "coding", 0, "code", to="150604.1"),
    ),
    Mutant("a bit twice", "nothing_twice", KPA, add(SECOND, "component")),
    Mutant("a status without bits", "bits", KPA, drop(SECOND, "component")),
    Mutant(
        "a bit that is none",
        "bits",
        KPA,
        put(SECOND, "component", 0, "code", "coding", 0, "code", to="8410608.6"),
        hl7="ASN1ToHL7#8410608.6'",
    ),
    Mutant(
        "a bit that is not set", "bits", KPA, put(SECOND, "component", 0, "valueBoolean", to=False)
    ),
    Mutant(
        "a bit as text",
        "bits",
        KPA,
        put(
            SECOND,
            "component",
            0,
            to={
                "code": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/ASN1ToHL7",
                            "code": "8410608.0",
                        }
                    ]
                },
                "valueString": "yes",
            },
        ),
    ),
    # Vital signs
    Mutant(
        "a temperature in kelvin",
        "vital_signs",
        WARM,
        put(FIRST, "valueQuantity", "code", to="K"),
        hl7="was not found in the value set 'Body Temperature Units'",
    ),
    Mutant(
        "a pulse in 1/min",
        "vital_signs",
        BP,
        put(SECOND, "valueQuantity", "code", to="1/min"),
        hl7="Value is '1/min' but is fixed to",
    ),
    Mutant(
        "no diastolic",
        "blood_pressure",
        BP,
        drop(FIRST, "component", 1),
        hl7="Slice 'Observation.component:DiastolicBP': a matching slice is required",
    ),
    Mutant(
        "a systolic in kPa",
        "blood_pressure",
        BP,
        put(FIRST, "component", 0, "valueQuantity", "code", to="kPa"),
        hl7="Value is 'kPa' but is fixed to",
    ),
)
