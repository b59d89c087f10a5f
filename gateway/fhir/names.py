"""What a resource is called: identifiers, references and the searches that find them again.

Every name is computed from what does not change, so that a second sending, another gateway or a
restored backup says the same.
"""

from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID, uuid5

from gateway.contract.devices import NAMESPACE, gateway_name, meter_name
from gateway.fhir.serial import Resource
from gateway.model import ClockPair, Patient, Record

URI = "urn:ietf:rfc:3986"  # the system of an identifier that is itself a URI
PHD_IDENTIFIER = "http://hl7.org/fhir/uv/phd/StructureDefinition/PhdBaseObservation"
PHD_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 -- compared with a meter's naive clock


def observation(record: Record, role: str) -> UUID:
    """*role* tells the Observations of one reading apart."""
    return uuid5(record.id, f"observation:{role}")


def bundle(name: UUID, version: int) -> UUID:
    """*name*: of the reading, or of the Device that it announces."""
    return uuid5(name, f"bundle:{version}")


def meter(identity: str) -> UUID:
    return meter_name(identity)


def gateway(gateway_id: str) -> UUID:
    return gateway_name(gateway_id)


def timestamp(pair: ClockPair) -> UUID:
    return uuid5(pair.session, "timestamp")


def patient(person: Patient) -> UUID:
    return uuid5(NAMESPACE, f"patient:{person.system}|{person.value}")


def urn(name: UUID) -> str:
    return f"urn:uuid:{name}"


def entry(name: UUID) -> str:
    """The fullUrl of what is called *name*, by which the rest of its Bundle refers to it.

    Never the identifier itself. A server puts the resource's place where the fullUrl stood, and
    some do so wherever it stands: the identifier would be lost, and a second POST would double all.
    """
    return urn(uuid5(name, "entry"))


def own(name: UUID) -> Resource:
    """The identifier that everything of ours carries and is found by."""
    return {"system": URI, "value": urn(name)}


def search(system: str, value: str) -> str:
    """A FHIR token search, as `ifNoneExist` and conditional references take it.

    Characters with a meaning of their own in a search are escaped by FHIR's backslash (R4 search,
    3.1.1.4.3), everything that RFC 3986 does not allow in a query by a percent sign.
    """
    return f"identifier={_token(system)}%7C{_token(value)}"


def _token(text: str) -> str:
    escaped = "".join(f"\\{char}" if char in "\\|,$" else char for char in text)
    return quote(escaped, safe=":/")


def subject(person: Patient) -> str:
    """The reference to the citizen, in the form that the receiver asked for."""
    match person.reference:
        case "logical":
            return f"Patient/{person.value}"
        case "entry":
            return entry(patient(person))
        case _:
            return f"Patient?{search(person.system, person.value)}"


def phd_identifier(record: Record, *mdc: str) -> str | None:
    """PHD 2.0's own recipe (PhdBaseObservation): device-patient-type-timestamp[-supplemental].

    The stamp is the meter's, uncorrected, in seconds since 2000, its wall clock read as if UTC.
    None where the meter gave no stamp, one that the recipe cannot say, one of a clock that nobody
    can place in time (it starts over and repeats itself), or the stamp of another reading too: the
    identifier has to tell readings apart. *mdc*: the type, then supplemental types.
    """
    taken_at = record.reading.taken_at
    if taken_at is None or taken_at < PHD_EPOCH:
        return None
    if record.effective is None or record.shares_stamp:
        return None
    person = record.patient
    who = person.value if person.reference == "logical" else f"{person.value}-{person.system}"
    seconds = (taken_at - PHD_EPOCH) // timedelta(seconds=1)
    kind, *supplemental = mdc
    return "-".join(
        [record.device.identity.upper(), who, kind, str(seconds), *supplemental],
    )
