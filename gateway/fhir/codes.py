"""What each number means: MDC always, LOINC and Danish codes where meaning and unit both agree.

MDC: IEEE 11073-10101, as decimal numbers (partition x 65536 + term), those confirmed by HL7's PHD
guide or by two published implementations. LOINC and units of vital signs: FHIR R4's vital-signs
profiles. Danish codes: FUT's observation codes and MedCom's PHMR value set. DK Core allows one
coding of each system that it slices, so SpO2 carries 2708-6 alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.api import Absent, Kind, Reading, Specialization
from gateway.fhir.errors import RenderError
from gateway.fhir.serial import Json, Resource

MDC = "urn:iso:std:iso:11073:10101"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
NPU = "http://npu-terminology.org"  # DK Core's name for it
NPU_FUT = "urn:oid:1.2.208.176.2.1"  # FUT's name for the same list, DNK codes included
SKS = "urn:oid:1.2.208.176.2.4"

UNITS: Mapping[str, str] = {  # UCUM code to what people write
    "mm[Hg]": "mmHg",
    "kPa": "kPa",
    "/min": "/min",
    "mmol/L": "mmol/L",
    "mg/dL": "mg/dL",
    "Cel": "°C",
    "[degF]": "°F",
    "kg": "kg",
    "[lb_av]": "lb",
    "cm": "cm",
    "[in_i]": "in",
    "kg/m2": "kg/m²",
    "%": "%",
}

REASONS: Mapping[Absent, str] = {  # PHD guide, FLOATS; system data-absent-reason
    Absent.NOT_A_NUMBER: "not-a-number",
    Absent.NOT_AT_THIS_RESOLUTION: "error",
    Absent.POSITIVE_INFINITY: "positive-infinity",
    Absent.NEGATIVE_INFINITY: "negative-infinity",
    Absent.RESERVED: "error",
    Absent.UNSUCCESSFUL: "error",
}


@dataclass(frozen=True, slots=True)
class Also:
    """A further coding, true only in these units."""

    system: str
    code: str
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meaning:
    mdc: str
    name: str  # the MDC reference identifier
    also: tuple[Also, ...] = ()
    vital: tuple[str, ...] = ()  # units in which the rules of FHIR's vital-signs profiles hold


def _npu(code: str, unit: str) -> tuple[Also, ...]:
    return (Also(NPU, code, (unit,)), Also(NPU_FUT, code, (unit,)))


def _vital(mdc: str, name: str, loinc: str, units: tuple[str, ...], *also: Also) -> Meaning:
    return Meaning(mdc, name, (Also(LOINC, loinc, units), *also), units)


def _pressure(mdc: str, name: str, loinc: str, *also: Also) -> Meaning:
    return _vital(mdc, name, loinc, ("mm[Hg]",), *also)


def _dnk(code: str) -> Also:
    return Also(NPU_FUT, code, ("mm[Hg]",))


PANEL = _pressure("150020", "MDC_PRESS_BLD_NONINV", "85354-9", Also(SKS, "ZZ3170", ("mm[Hg]",)))
PANEL_KINDS = (Kind.SYSTOLIC, Kind.DIASTOLIC, Kind.MEAN_PRESSURE)
_PULSE_NPU = _npu("NPU21692", "/min")

MEANINGS: Mapping[Kind, Meaning] = {
    Kind.SYSTOLIC: _pressure("150021", "MDC_PRESS_BLD_NONINV_SYS", "8480-6", _dnk("DNK05472")),
    Kind.DIASTOLIC: _pressure("150022", "MDC_PRESS_BLD_NONINV_DIA", "8462-4", _dnk("DNK05473")),
    Kind.MEAN_PRESSURE: _pressure("150023", "MDC_PRESS_BLD_NONINV_MEAN", "8478-0"),
    Kind.PULSE_RATE: _vital("149546", "MDC_PULS_RATE_NON_INV", "8867-4", ("/min",), *_PULSE_NPU),
    Kind.BODY_WEIGHT: _vital(
        "188736",
        "MDC_MASS_BODY_ACTUAL",
        "29463-7",
        ("kg", "[lb_av]"),
        *_npu("NPU03804", "kg"),
    ),
    # NPU03794 is a height in metres; FHIR's vital signs want centimetres, so it is not given.
    Kind.BODY_HEIGHT: _vital("188740", "MDC_LEN_BODY_ACTUAL", "8302-2", ("cm", "[in_i]")),
    Kind.BMI: _vital(
        "188752",
        "MDC_RATIO_MASS_BODY_LEN_SQ",
        "39156-5",
        ("kg/m2",),
        *_npu("NPU27281", "kg/m2"),
    ),
    # NPU03011 is a fraction (0.97) by its definition; a meter says 97 %.
    Kind.OXYGEN_SATURATION: _vital("150456", "MDC_PULS_OXIM_SAT_O2", "2708-6", ("%",)),
    Kind.PULSE_AMPLITUDE_INDEX: Meaning("150448", "MDC_PULS_OXIM_PERF_REL"),
}
OXIMETER_PULSE = _vital("149530", "MDC_PULS_OXIM_PULS_RATE", "8867-4", ("/min",), *_PULSE_NPU)

_CAPILLARY = Also(LOINC, "14743-9", ("mmol/L",))
_BLOOD = Also(LOINC, "15074-8", ("mmol/L",))
_PLASMA_NPU = _npu("NPU22089", "mmol/L")
_FASTING_PLASMA_NPU = _npu("NPU02193", "mmol/L")

GLUCOSE: Mapping[str, Meaning] = {  # by the code `sample-type`
    "capillary-whole-blood": Meaning("160184", "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", (_CAPILLARY,)),
    "capillary-plasma": Meaning(
        "160188", "MDC_CONC_GLU_CAPILLARY_PLASMA", (_CAPILLARY, *_PLASMA_NPU)
    ),
    "venous-whole-blood": Meaning("160192", "MDC_CONC_GLU_VENOUS_WHOLEBLOOD", (_BLOOD,)),
    "venous-plasma": Meaning("160196", "MDC_CONC_GLU_VENOUS_PLASMA"),
    "arterial-whole-blood": Meaning("160200", "MDC_CONC_GLU_ARTERIAL_WHOLEBLOOD", (_BLOOD,)),
    "arterial-plasma": Meaning("160204", "MDC_CONC_GLU_ARTERIAL_PLASMA"),
    "undetermined-whole-blood": Meaning(
        "160364", "MDC_CONC_GLU_UNDETERMINED_WHOLEBLOOD", (_BLOOD,)
    ),
    "undetermined-plasma": Meaning("160368", "MDC_CONC_GLU_UNDETERMINED_PLASMA"),
    "interstitial-fluid": Meaning(
        "160212",
        "MDC_CONC_GLU_ISF",
        (Also(LOINC, "105272-9", ("mmol/L",)), Also(LOINC, "99504-3", ("mg/dL",))),
    ),
}
GLUCOSE_UNSTATED = Meaning("160020", "MDC_CONC_GLU_GEN")  # the meter did not say of what
_FASTING = Meaning("160188", "MDC_CONC_GLU_CAPILLARY_PLASMA", (_CAPILLARY, *_FASTING_PLASMA_NPU))


def _temperature(mdc: str, name: str, *npu: Also) -> Meaning:
    return _vital(mdc, name, "8310-5", ("Cel", "[degF]"), *npu)


_BODY_NPU = _npu("NPU08676", "Cel")
TEMPERATURE: Mapping[str, Meaning] = {  # by the code `temperature-type`
    "armpit": _temperature("188452", "MDC_TEMP_AXILLA", *_BODY_NPU),
    "body": _temperature("150364", "MDC_TEMP_BODY", *_BODY_NPU),
    "ear": _temperature("188428", "MDC_TEMP_EAR", *_BODY_NPU),
    "gastro-intestinal-tract": _temperature("188456", "MDC_TEMP_GIT"),
    "mouth": _temperature("188424", "MDC_TEMP_ORAL", *_BODY_NPU),
    "rectum": _temperature("188420", "MDC_TEMP_RECT", *_BODY_NPU),
    "tympanum": _temperature("150392", "MDC_TEMP_TYMP", *_BODY_NPU),
    # The skin of a finger or a toe says nothing of fever: not "body temperature" to LOINC.
    "finger": Meaning("188432", "MDC_TEMP_FINGER"),
    "toe": Meaning("188448", "MDC_TEMP_TOE"),
}

SPECIALIZATIONS: Mapping[Specialization, tuple[str, str]] = {
    "blood-pressure": ("528391", "MDC_DEV_SPEC_PROFILE_BP"),
    "glucose": ("528401", "MDC_DEV_SPEC_PROFILE_GLUCOSE"),
    "weight": ("528399", "MDC_DEV_SPEC_PROFILE_SCALE"),
    "thermometer": ("528392", "MDC_DEV_SPEC_PROFILE_TEMP"),
    "pulse-oximeter": ("528388", "MDC_DEV_SPEC_PROFILE_PULS_OXIM"),
    "generic": ("528457", "MDC_DEV_SPEC_PROFILE_GENERIC"),
}


def told(reading: Reading, system: str) -> str | None:
    """What the reading's code of this system says, if it has one."""
    return next((code.code for code in reading.codes if code.system == system), None)


def meaning(kind: Kind, reading: Reading, specialization: Specialization) -> Meaning:
    """Raises RenderError for what is never published."""
    match kind:
        case Kind.CUFF_PRESSURE:
            raise RenderError("an intermediate cuff pressure is never published")
        case Kind.GLUCOSE:
            return _glucose(reading)
        case Kind.BODY_TEMPERATURE:
            return TEMPERATURE.get(told(reading, "temperature-type") or "", TEMPERATURE["body"])
        case Kind.PULSE_RATE if specialization == "pulse-oximeter":
            return OXIMETER_PULSE
        case _:
            return MEANINGS[kind]


def _glucose(reading: Reading) -> Meaning:
    sample = told(reading, "sample-type") or ""
    if sample == "capillary-plasma" and told(reading, "meal") == "fasting":
        return _FASTING
    return GLUCOSE.get(sample, GLUCOSE_UNSTATED)


def concept(what: Meaning, unit: str) -> Resource:
    """The CodeableConcept of a measurement made in *unit*."""
    also: list[Json] = [
        {"system": coding.system, "code": coding.code}
        for coding in what.also
        if unit in coding.units
    ]
    return {"coding": [mdc(what.mdc, what.name), *also]}


def mdc(code: str, name: str) -> Resource:
    return {"system": MDC, "code": code, "display": name}
