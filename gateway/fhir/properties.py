"""What a meter tells of its approval and its clock: PhdDevice's properties, and its UDI.

Left out is what no meter with these Bluetooth services tells (docs/fhir.md lists it).
"""

import re
from collections.abc import Iterator, Mapping

from drivers.api import Certification, DeviceInfo, PnpId, Udi
from gateway.fhir import codes
from gateway.fhir.serial import Json, Resource

YES_NO = "http://terminology.hl7.org/CodeSystem/v2-0136"
NAMED: Mapping[str, str] = {  # OIDs for which R4's Device has a name of its own
    "2.51": "http://hl7.org/fhir/NamingSystem/gs1-di",
    "2.16.840.1.113883.3.24": "http://hl7.org/fhir/NamingSystem/fda-udi",
}
OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*)){2,}")  # HL7's validator takes none of two parts
USB = 2  # PnP ID: the maker's number is of the USB Implementers Forum


def properties(info: DeviceInfo) -> list[Json]:
    return [*_approval(info.certification), *_clock(info), *_product(info.pnp_id)]


def udi_carriers(udi: Udi | None) -> list[Json]:
    """Without `entryType`: R4 has no word for what came by radio (the guide's is R5's)."""
    if udi is None:
        return []
    told = {
        "deviceIdentifier": udi.device_identifier,
        "issuer": _uri(udi.issuer),
        "jurisdiction": _uri(udi.authority),
        "carrierHRF": udi.label,
    }
    said: Resource = {name: text for name, text in told.items() if text}
    return [said] if said else []


def _approval(told: Certification | None) -> Iterator[Json]:
    """Both answers to whether it is a medical device: silence is neither."""
    if told is None:
        return
    for interface in told.interfaces:
        yield {"type": codes.coded("certified"), "valueCode": [_interface(interface)]}
    if told.regulated is not None:
        yield _answer("unregulated", not told.regulated)


def _interface(number: int) -> Resource:
    """In words alone if the guide does not know its number."""
    known = f"interface/{number}"
    return (
        codes.coded(known) if known in codes.CODINGS else {"text": f"Continua interface {number}"}
    )


def _clock(info: DeviceInfo) -> Iterator[Json]:
    """One that cannot be read may be there all the same: of that nothing is said."""
    if info.clock:
        yield _answer("clock/readable", yes=True)
        yield _answer("clock/settable", info.clock == "settable")


def _product(told: PnpId | None) -> Iterator[Json]:
    if told is not None and told.source == USB:
        text = f"VID_{told.vendor:04X}:PID_{told.product:04X}"
        yield {"type": codes.coded("usb"), "valueCode": [{"text": text}]}


def _answer(of: str, yes: bool) -> Json:
    said: Resource = {"system": YES_NO, "code": "Y" if yes else "N"}
    return {"type": codes.coded(of), "valueCode": [{"coding": [said]}]}


def _uri(oid: str) -> str:
    """Empty if it is no OID."""
    return NAMED.get(oid) or (f"urn:oid:{oid}" if OID.fullmatch(oid) else "")
