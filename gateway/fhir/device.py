"""The two Devices of every Bundle, by HL7's PhdDevice (the meter) and PhgDevice (this gateway)."""

import re

from drivers.api import Specialization
from gateway.fhir import codes, names
from gateway.fhir.observation import PHD, meta
from gateway.fhir.properties import properties, udi_carriers
from gateway.fhir.serial import Json, Resource
from gateway.model import DeviceRecord, GatewayInfo

KINDS_OF_ID = "http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers"
EUI64 = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"
BLUETOOTH = "http://hl7.org/fhir/sid/eui-48/bluetooth"
UNKNOWN = (
    "unknown"  # PhdDevice demands a manufacturer, a model and a version; some meters have none
)
SYSTEM_ID_DIGITS = 16
HARDWARE_ID = r"[0-9A-F]{12}([0-9A-F]{4})?"


def meter(device: DeviceRecord, simulated: bool) -> Resource:
    info = device.info
    serial = _text(info.serial)
    versions = (
        ("hardware", info.hardware),
        ("software", info.software),
        ("firmware", info.firmware),
    )
    known = [_version(kind, _text(value)) for kind, value in versions if _text(value)]
    if not known:
        known = [_version("firmware", UNKNOWN)]
    if info.certification and info.certification.version:
        known.append(_version("continua", info.certification.version))
    carriers, told = udi_carriers(info.udi), properties(info)
    return {
        "resourceType": "Device",
        "meta": meta(simulated, f"{PHD}PhdDevice"),
        "identifier": [names.own(names.meter(device.identity)), *_hardware_ids(device)],
        **({"udiCarrier": carriers} if carriers else {}),
        "manufacturer": _text(info.manufacturer) or UNKNOWN,
        **({"serialNumber": serial} if serial else {}),
        "modelNumber": _text(info.model) or UNKNOWN,
        "type": codes.coded("device/meter"),
        "specialization": [
            # GATT tells no version of the specialization; the guide's own examples say 1.
            {**_system_type(device.specialization), "version": "1"}
        ],
        "version": known,
        **({"property": told} if told else {}),
    }


def gateway(info: GatewayInfo, simulated: bool) -> Resource:
    """No EUI-64 is made up for a box that has none: the gateway's own id names it."""
    return {
        "resourceType": "Device",
        "meta": meta(simulated, f"{PHD}PhgDevice"),
        "identifier": [names.own(names.gateway(info.id))],
        "manufacturer": info.manufacturer,
        "serialNumber": info.id,
        "modelNumber": info.model,
        "type": codes.coded("device/gateway"),
        "specialization": [_system_type("generic")],
        "version": [_version("software", info.version)],
        "property": [
            {
                "type": codes.coded("time-sync"),
                "valueCode": [codes.coded(f"time-sync/{_set_by(info)}")],
            }
        ],
    }


def _hardware_ids(device: DeviceRecord) -> list[Json]:
    """The System ID if it has one, and the Bluetooth address, which is what people can see of it.

    Written as FHIR writes them: pairs of capital hex digits with dashes between.
    """
    address = device.address.replace(":", "").upper()
    digits = {device.identity.upper(): None, address: None}  # in this order, each once
    return [_hardware_id(each) for each in digits if re.fullmatch(HARDWARE_ID, each)]


def _hardware_id(digits: str) -> Json:
    eui64 = len(digits) == SYSTEM_ID_DIGITS
    kind: Json = {"system": KINDS_OF_ID, "code": "SYSID" if eui64 else "BTMAC"}
    return {
        "type": {"coding": [kind]},
        "system": EUI64 if eui64 else BLUETOOTH,
        "value": "-".join(digits[i : i + 2] for i in range(0, len(digits), 2)),
    }


def _set_by(info: GatewayInfo) -> str:
    return "ntp" if info.clock == "ntp" else "none"


def _system_type(specialization: Specialization) -> Resource:
    return {"systemType": codes.coded(f"specialization/{specialization}")}


def _version(kind: str, value: str) -> Resource:
    return {"type": codes.coded(f"version/{kind}"), "value": value}


def _text(told: str) -> str:
    """What a meter says of itself, without the zeros and blanks that some pad it with."""
    return "".join(char for char in told if char.isprintable()).strip()
