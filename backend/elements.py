"""What stands in the elements of a Bundle: nothing that `fhir.resources` would turn into something
else before it looks at it, and nothing that a database or a parser could choke on. Pure.
"""

from decimal import Decimal

from gateway.contract import ContractError

DEEPEST = 40  # objects and lists in one another; a Bundle of a gateway has 12
MAX_EXPONENT = 100  # nothing that anybody measures is larger, or smaller

# FHIR R4, data types: where `value` is a number, by how the element or its type is called.
_QUANTITIES = ("Quantity", "Age", "Count", "Distance", "Duration", "Money")
_LIMITS = {"low", "high", "numerator", "denominator", "origin"}  # of Range, Ratio, SampledData
_DECIMALS = {"valueDecimal", "factor", "lowerLimit", "upperLimit"}
_WHOLE = {"valueInteger", "valueUnsignedInt", "valuePositiveInt", "multipleBirthInteger"}
_WHOLE |= {"dimensions", "rank", "size"}
_BOOLEANS = {"valueBoolean", "active", "deceasedBoolean", "multipleBirthBoolean", "preferred"}
_BOOLEANS |= {"userSelected"}


def look_through(element: object, name: str = "", depth: int = 0) -> None:
    """*name*: of the member that *element* is, or is in a list of. Raises ContractError."""
    if depth > DEEPEST:
        raise ContractError(f"body: more than {DEEPEST} elements in one another")
    if isinstance(element, list):
        for each in element:
            if isinstance(each, list | dict):
                look_through(each, name, depth + 1)
    elif isinstance(element, dict):
        for inner, each in element.items():
            if inner == "value" and (name in _LIMITS or name.endswith(_QUANTITIES)):
                if not _is_number(each):
                    raise ContractError(f"body: {_said(name)}.value is not a number")
            elif not _is_what_it_is_called(inner, each):
                raise ContractError(f"body: {inner} is not of its type")
            if isinstance(each, list | dict):
                look_through(each, inner, depth + 1)


def check_text(element: object) -> None:
    """Of what is not nested too deep. Only an escape (`\\u`) can say what is refused here."""
    if isinstance(element, str):
        if "\0" in element or not _is_unicode(element):
            raise ContractError("body: text that is no Unicode, or with U+0000 in it")
    elif isinstance(element, list):
        for each in element:
            check_text(each)
    elif isinstance(element, dict):
        for inner, each in element.items():
            check_text(inner)
            check_text(each)


def _is_what_it_is_called(name: str, value: object) -> bool:
    if name in _DECIMALS:
        return _is_number(value)
    if name in _WHOLE:
        return _is_number(value) and not isinstance(value, Decimal)
    if name in _BOOLEANS:
        return isinstance(value, bool)
    return True


def _said(name: str) -> str:
    """A stranger may have called it anything that ends like a quantity."""
    return name if name.isalnum() and len(name) < 40 else "a quantity"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character, by an escape
        return False
    return True


def _is_number(value: object) -> bool:
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return False
    return abs(Decimal(value).adjusted()) <= MAX_EXPONENT
