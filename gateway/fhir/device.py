"""The two Devices of every Bundle, by HL7's PhdDevice (the meter) and PhgDevice (this gateway)."""

from gateway.fhir import codes, names
from gateway.fhir.observation import PHD, meta
from gateway.fhir.serial import Json, Resource
from gateway.model import DeviceRecord, GatewayInfo

KINDS_OF_ID = "http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers"
EUI64 = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"
BLUETOOTH = "http://hl7.org/fhir/sid/eui-48/bluetooth"
UNKNOWN = (
    "unknown"  # PhdDevice demands a manufacturer, a model and a version; some meters have none
)
SYSTEM_ID_DIGITS = 16

HARDWARE = ("531974", "MDC_ID_PROD_SPEC_HW")
SOFTWARE = ("531975", "MDC_ID_PROD_SPEC_SW")
FIRMWARE = ("531976", "MDC_ID_PROD_SPEC_FW")

NO_SYNC = ("532224", "MDC_TIME_SYNC_NONE")
SYNC = {"ntp": ("532226", "MDC_TIME_SYNC_NTPV4")}  # by GatewayInfo.clock


def meter(device: DeviceRecord, simulated: bool) -> Resource:
    info = device.info
    serial = _text(info.serial)
    versions = ((HARDWARE, info.hardware), (SOFTWARE, info.software), (FIRMWARE, info.firmware))
    known = [_version(kind, _text(value)) for kind, value in versions if _text(value)]
    return {
        "resourceType": "Device",
        "meta": meta(simulated, f"{PHD}PhdDevice"),
        "identifier": [names.own(names.meter(device.identity)), _hardware_id(device.identity)],
        "manufacturer": _text(info.manufacturer) or UNKNOWN,
        **({"serialNumber": serial} if serial else {}),
        "modelNumber": _text(info.model) or UNKNOWN,
        "type": {"coding": [codes.mdc("65573", "MDC_MOC_VMS_MDS_SIMP")]},
        "specialization": [
            # GATT tells no version of the specialization; the guide's own examples say 1.
            {**_system_type(codes.SPECIALIZATIONS[device.specialization]), "version": "1"}
        ],
        "version": known or [_version(FIRMWARE, UNKNOWN)],
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
        "type": {"coding": [codes.mdc("531981", "MDC_MOC_VMS_MDS_AHD")]},
        "specialization": [_system_type(codes.SPECIALIZATIONS["generic"])],
        "version": [_version(SOFTWARE, info.version)],
        "property": [
            {
                "type": {"coding": [codes.mdc("68220", "MDC_TIME_SYNC_PROTOCOL")]},
                "valueCode": [{"coding": [codes.mdc(*SYNC.get(info.clock, NO_SYNC))]}],
            }
        ],
    }


def _hardware_id(identity: str) -> Resource:
    """A System ID of 16 hex digits, or a Bluetooth address of 12, as FHIR writes either."""
    pairs = "-".join(identity[i : i + 2] for i in range(0, len(identity), 2)).upper()
    eui64 = len(identity) == SYSTEM_ID_DIGITS
    kind: Json = {"system": KINDS_OF_ID, "code": "SYSID" if eui64 else "BTMAC"}
    return {
        "type": {"coding": [kind]},
        "system": EUI64 if eui64 else BLUETOOTH,
        "value": pairs,
    }


def _system_type(kind: tuple[str, str]) -> Resource:
    return {"systemType": {"coding": [codes.mdc(*kind)]}}


def _version(kind: tuple[str, str], value: str) -> Resource:
    return {"type": {"coding": [codes.mdc(*kind)]}, "value": value}


def _text(told: str) -> str:
    """What a meter says of itself, without the zeros and blanks that some pad it with."""
    return "".join(char for char in told if char.isprintable()).strip()
