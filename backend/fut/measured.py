"""What a gateway's Bundle says that FUT can take; pure. The rest is named, and left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from backend.fut import codes, elements
from backend.fut.codes import FutCode
from backend.onward_json import Json, part, parts, word

MAX_AGE = timedelta(days=30)
ABOUT_ANOTHER = "derivedFrom"  # status bits, and the context of a glucose


class NotForFut(Exception):
    """Never to be sent; the text says why, and quotes no value."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator of a FUT connection decides.

    `version`: of FUT's IG, 8 or 10. `further_codings`: MDC and LOINC behind FUT's own.
    `unlabelled_glucose`: the clinic takes a glucose of which nobody said whether it was fasting.
    `simulated`: readings of a simulator are sent as well, whatever its clock: for FUT's test
    environments alone. `max_age`: what was measured longer ago is for a human: FUT takes what
    comes for news, and sets clinicians to work.
    """

    version: int = 10
    further_codings: bool = True
    unlabelled_glucose: bool = False
    simulated: bool = False
    max_age: timedelta = MAX_AGE


@dataclass(frozen=True, slots=True)
class Part:
    """One number, as FUT wants it."""

    code: FutCode
    value: Decimal
    further: tuple[Json, ...]  # codings


@dataclass(frozen=True, slots=True)
class Measurement:
    """One Observation of a gateway. A blood pressure has its two parts, the others have one."""

    identifier: str
    effective: str
    device: str | None  # the identifier of the meter
    gateway: str | None  # and of the gateway
    parts: tuple[Part, ...]
    panel: bool = False
    further: tuple[Json, ...] = ()  # codings of the panel

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.effective)

    def alone(self, part: Part) -> str:
        """The identifier of one part of a panel, sent by itself."""
        return f"urn:uuid:{uuid5(UUID(self.identifier), f'fut:{part.code.code}')}"


@dataclass(frozen=True, slots=True)
class Measured:
    measurements: tuple[Measurement, ...]
    left_out: tuple[str, ...]  # "150023: FUT has no code for it"


def patient_of(bundle: Json) -> str:
    """Whom the reading is about, as `system|value`, or as it is written. Raises NotForFut."""
    found = {elements.subject(each, bundle) for each in elements.observations(bundle)}
    if len(found) != 1 or None in found:
        raise NotForFut("it is not about one and the same person")
    (one,) = found
    return str(one)


def measured(bundle: Json, rules: Rules) -> Measured:
    """Raises NotForFut where none of it may be sent."""
    _whole(bundle, rules)
    meals = {
        word(reference, "reference"): each
        for each in elements.observations(bundle)
        if elements.mdc(each) == codes.MEAL
        for reference in parts(each, ABOUT_ANOTHER)
    }
    names = {
        word(entry, "fullUrl"): elements.own(part(entry, "resource"))
        for entry in parts(bundle, "entry")
    }
    taken, left_out = [], []
    for observation in elements.observations(bundle):
        name = elements.mdc(observation)
        try:
            numbers = tuple(_parts(observation, meals, rules))
            identifier = _identifier(observation)
        except NotForFut as error:
            left_out.append(f"{name}: {error}")
            continue
        panel = name == codes.PRESSURE
        taken.append(
            Measurement(
                identifier=identifier,
                effective=elements.effective(observation),
                device=names.get(word(part(observation, "device"), "reference")),
                gateway=names.get(elements.gateway(observation) or ""),
                parts=numbers,
                panel=panel,
                further=_further(observation, rules) if panel else (),
            )
        )
    if not taken:
        raise NotForFut("nothing in it that FUT takes (" + "; ".join(left_out) + ")")
    return Measured(tuple(taken), tuple(left_out))


def _whole(bundle: Json, rules: Rules) -> None:
    """What forbids all of it."""
    every = list(elements.observations(bundle))
    if not every:
        raise NotForFut("no Observation in it")
    if any(elements.has_code(each, codes.CONTROL_SOLUTION) for each in every):
        raise NotForFut("a measurement of control solution is about no person")
    if not rules.simulated and any(elements.simulated(each) for each in every):
        raise NotForFut("simulated data (HTEST)")
    if not rules.simulated and not elements.synchronised(bundle):
        raise NotForFut("the gateway's clock was not synchronised")
    for each in every:
        if not elements.is_moment(elements.effective(each)):
            raise NotForFut("when it was measured is not known")


def _identifier(observation: Json) -> str:
    found = elements.own(observation)
    if found is None:
        raise NotForFut("without an identifier of ours")
    return found


def _parts(observation: Json, meals: Mapping[str, Json], rules: Rules) -> Iterator[Part]:
    if word(observation, "status") not in {"final", "amended"}:
        raise NotForFut("neither final nor amended")
    if elements.mdc(observation) == codes.PRESSURE:
        found = {elements.mdc(each): each for each in parts(observation, "component")}
        for mdc in ("150021", "150022"):
            if mdc not in found:
                raise NotForFut("a blood pressure without systolic or diastolic")
            yield _part(found[mdc], rules)
        return
    if observation.get(ABOUT_ANOTHER):
        raise NotForFut("about another measurement: FUT has no code for it")
    if elements.mdc(observation) == codes.GLUCOSE:
        _fasting(observation, meals.get(elements.own(observation) or ""), rules)
    yield _part(observation, rules)


def _part(element: Json, rules: Rules) -> Part:
    code = codes.BY_MDC.get(elements.mdc(element))
    if code is None or code.since > rules.version:
        raise NotForFut("FUT has no code for it")
    quantity = part(element, "valueQuantity")
    number = _number(quantity.get("value"))
    if "dataAbsentReason" in element or number is None:
        raise NotForFut("no valid number")
    if word(quantity, "system") != codes.UCUM:
        raise NotForFut("a unit that is not UCUM")
    try:
        value = codes.converted(number, word(quantity, "code"), code)
    except (KeyError, ArithmeticError):
        raise NotForFut("a unit that cannot be turned into FUT's") from None
    return Part(code, value, _further(element, rules))


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if number.is_finite() else None


def _fasting(observation: Json, meal: Json | None, rules: Rules) -> None:
    """FUT knows glucose as fasting alone: a reading is never called so without somebody's word."""
    if (codes.NPU, codes.FASTING_GLUCOSE.code) in elements.pairs(observation):
        return
    if meal is None:
        if not rules.unlabelled_glucose:
            raise NotForFut("nobody said that it was fasting")
    elif not _says_fasting(part(meal, "valueCodeableConcept")):
        raise NotForFut("not fasting, and FUT has no code for that")


def _says_fasting(concept: Json) -> bool:
    coded = (codes.MDC, codes.FASTING) in elements.pairs({"code": concept})
    return coded or word(concept, "text") == "fasting"


def _further(element: Json, rules: Rules) -> tuple[Json, ...]:
    if not rules.further_codings:
        return ()
    known = (codes.MDC, codes.LOINC)
    return tuple(
        coding
        for coding in parts(part(element, "code"), "coding")
        if word(coding, "system") in known
    )
