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
    Mutant("no value", "value_or_reason", "weight", drop(FIRST, "valueQuantity")),
    Mutant(
        "a glucose without value", "value_or_reason", SUGAR, drop(FIRST, "valueQuantity"), hl7=False
    ),
    Mutant(
        "a part without value", "value_or_reason", BP, drop(FIRST, "component", 0, "valueQuantity")
    ),
    Mutant(
        "a value beside its reason",
        "value_or_reason",
        SUGAR,
        put(FIRST, "dataAbsentReason", to=NO_NUMBER),
    ),
    Mutant(
        "a part's value beside its reason",
        "value_or_reason",
        BP,
        put(FIRST, "component", 0, "dataAbsentReason", to=NO_NUMBER),
        hl7=False,
    ),
    Mutant(
        "a reason from another list",
        "value_or_reason",
        "glucose-high",
        put(FIRST, "dataAbsentReason", "coding", 0, "code", to="too-high"),
    ),
    Mutant("a unit of no system", "quantities", SUGAR, drop(FIRST, "valueQuantity", "system")),
    Mutant(
        "a unit of another system",
        "quantities",
        SUGAR,
        put(FIRST, "valueQuantity", "system", to="urn:x"),
    ),
    Mutant("bad UCUM", "quantities", SUGAR, put(FIRST, "valueQuantity", "code", to="mmol/Liter")),
    Mutant("no unit code", "quantities", BP, drop(FIRST, "component", 0, "valueQuantity", "code")),
    Mutant("no number", "quantities", SUGAR, drop(FIRST, "valueQuantity", "value")),
    Mutant(
        "a number as text", "quantities", SUGAR, put(FIRST, "valueQuantity", "value", to="6.10")
    ),
    Mutant("a second value", "profile_shape", SUGAR, put(FIRST, "valueString", to="6.1")),
    Mutant("no profile", "claims", SUGAR, put(FIRST, "meta", "profile", to=[]), hl7=False),
    Mutant(
        "a part's second value", "compound", BP, put(FIRST, "component", 0, "valueString", to="121")
    ),
    Mutant("a panel's own value", "profile_shape", BP, put(FIRST, "valueString", to="121/81")),
    Mutant(
        "a circumstance as text", "profile_shape", MEAL, put(SECOND, "valueString", to="breakfast")
    ),
    Mutant("a glucose in kilograms", "unit_of_the_code", SUGAR, measured_in("kg", "kg"), hl7=False),
    Mutant("a glucose in percent", "unit_of_the_code", SUGAR, measured_in("%", "%"), hl7=False),
    Mutant(
        "a mean pressure a minute",
        "unit_of_the_code",
        KPA,
        put(FIRST, "component", 2, "valueQuantity", "code", to="/min"),
        hl7=False,
    ),
    Mutant(
        "a unit that is written as another",
        "quantities",
        SUGAR,
        measured_in("mmol/L", "mg/dL"),
        hl7=False,
    ),
    Mutant(
        "more than a number",
        "possible",
        SUGAR,
        put(FIRST, "valueQuantity", "comparator", to=">"),
        hl7=False,
    ),
    Mutant(
        "less glucose than none",
        "possible",
        SUGAR,
        put(FIRST, "valueQuantity", "value", to=Decimal("-6.10")),
        hl7=False,
    ),
    Mutant(
        "a reason that no meter has",
        "value_or_reason",
        "glucose-high",
        put(FIRST, "dataAbsentReason", "coding", 0, "code", to="masked"),
        hl7=False,
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
        hl7=False,
    ),
    Mutant("a bit twice", "nothing_twice", KPA, add(SECOND, "component"), hl7=False),
    Mutant("a status without bits", "bits", KPA, drop(SECOND, "component"), hl7=False),
    Mutant(
        "a bit that is none",
        "bits",
        KPA,
        put(SECOND, "component", 0, "code", "coding", 0, "code", to="8410608.6"),
    ),
    Mutant(
        "a bit that is not set",
        "bits",
        KPA,
        put(SECOND, "component", 0, "valueBoolean", to=False),
        hl7=False,
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
        hl7=False,
    ),
    # Vital signs
    Mutant(
        "a temperature in kelvin", "vital_signs", WARM, put(FIRST, "valueQuantity", "code", to="K")
    ),
    Mutant("a pulse in 1/min", "vital_signs", BP, put(SECOND, "valueQuantity", "code", to="1/min")),
    Mutant("no diastolic", "blood_pressure", BP, drop(FIRST, "component", 1)),
    Mutant(
        "a systolic in kPa",
        "blood_pressure",
        BP,
        put(FIRST, "component", 0, "valueQuantity", "code", to="kPa"),
    ),
)
