"""What FUT calls a measurement, in which unit it wants it, and as which type of number.

Our own table of the facts in FUT's concept maps `conceptmap-obs-code-to-ucum` and
`conceptmap-obs-code-to-value-type` and its value set `observation-codes`, IG 8.0.0 and 10.0.0
(http://ehealth.sundhed.dk/fhir); a test holds it against them. MDC: IEEE 11073-10101.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

MDC = "urn:iso:std:iso:11073:10101"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
NPU = "urn:oid:1.2.208.176.2.1"
SKS = "urn:oid:1.2.208.176.2.4"


@dataclass(frozen=True, slots=True)
class FutCode:
    """`unit`: UCUM. `written`: what people write for it. `since`: the first IG that knows it."""

    system: str
    code: str
    unit: str
    written: str
    integer: bool = False
    since: int = 8

    @property
    def pair(self) -> tuple[str, str]:
        return (self.system, self.code)


SYSTOLIC = FutCode(NPU, "DNK05472", "mm[Hg]", "mmHg", integer=True)
DIASTOLIC = FutCode(NPU, "DNK05473", "mm[Hg]", "mmHg", integer=True)
PULSE = FutCode(NPU, "NPU21692", "1/min", "1/min", integer=True)
SATURATION = FutCode(NPU, "NPU03011", "%", "%")
WEIGHT = FutCode(NPU, "NPU03804", "kg", "kg")
HEIGHT = FutCode(NPU, "NPU03794", "m", "m")
BMI = FutCode(NPU, "NPU27281", "kg/m2", "kg/m2", integer=True)
TEMPERATURE = FutCode(NPU, "NPU08676", "Cel", "°C")
# Fasting, capillary plasma. 10.0.0's map of number types was not seen; glucose is a decimal.
FASTING_GLUCOSE = FutCode(NPU, "NPU02193", "mmol/L", "mmol/L", since=10)

PANEL = (SKS, "ZZ3170")  # a blood pressure at home, taken by the patient
PANEL_PARTS = (SYSTOLIC, DIASTOLIC)  # FUT's map activitydefinition-code-to-observation-code

PRESSURE = "150020"
GLUCOSE = "160188"
MEAL, FASTING = "8417864", "8417876"
CONTROL_SOLUTION = "160208"
TIMESTAMP = "67975"

BY_MDC: Mapping[str, FutCode] = {
    "150021": SYSTOLIC,
    "150022": DIASTOLIC,
    "149546": PULSE,  # by a cuff
    "149530": PULSE,  # by an oximeter
    "150456": SATURATION,
    "188736": WEIGHT,
    "188740": HEIGHT,
    "188752": BMI,
    "150364": TEMPERATURE,  # of the body; then mouth, armpit, ear, eardrum, rectum
    "188424": TEMPERATURE,
    "188452": TEMPERATURE,
    "188428": TEMPERATURE,
    "150392": TEMPERATURE,
    "188420": TEMPERATURE,
    GLUCOSE: FASTING_GLUCOSE,
}
ALL = tuple(dict.fromkeys(BY_MDC.values()))

MMHG_IN_KPA = Decimal("7.50062")
KG_IN_LB = Decimal("0.45359237")
MG_PER_DL_IN_MMOL = Decimal("18.016")  # of glucose
M_IN_INCH = Decimal("0.0254")


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _rounded(number: Decimal, decimals: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _like(number: Decimal, converted: Decimal) -> Decimal:
    return _rounded(converted, _decimals(number))


# To a unit of FUT from another in which meters measure; as many decimals as the meter gave.
_CONVERSIONS: Mapping[tuple[str, str], Callable[[Decimal], Decimal]] = {
    ("kPa", "mm[Hg]"): lambda n: n * MMHG_IN_KPA,
    ("/min", "1/min"): lambda n: n,
    ("[lb_av]", "kg"): lambda n: _like(n, n * KG_IN_LB),
    ("cm", "m"): lambda n: n.scaleb(-2),
    ("[in_i]", "m"): lambda n: _rounded(n * M_IN_INCH, _decimals(n) + 2),
    ("[degF]", "Cel"): lambda n: _like(n, (n - 32) * 5 / 9),
    ("mg/dL", "mmol/L"): lambda n: _rounded(n / MG_PER_DL_IN_MMOL, 1),
}


def converted(number: Decimal, unit: str, code: FutCode) -> Decimal:
    """*number* as FUT wants it; integers are rounded half up. Raises KeyError for a foreign unit.

    The solution answers for its conversions, FUT says: the measured value stays at the receiver.
    """
    told = number if unit == code.unit else _CONVERSIONS[unit, code.unit](number)
    return _rounded(told, 0) if code.integer else told
