"""Every kind of Bundle that tells of a Device by itself: what it is now."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from drivers.api import DeviceInfo
from gateway.fhir import announcement, device, names
from gateway.fhir.serial import Resource
from gateway.model import DeviceRecord, GatewayInfo
from tests.conformance.corpus import METERS, device_infos
from tests.fhir.records import GATEWAY, TELLING

AT = datetime(2026, 11, 22, 7, 31, 3, tzinfo=UTC)
VERSION = 217_322_000  # seconds since 2020, as a message has it


def announcements() -> Mapping[str, bytes]:
    """By the name of the case."""
    return {
        f"announced: {case}{', simulated' if simulated else ''}": announcement(
            name, VERSION, resource, AT, "Europe/Copenhagen", simulated=simulated
        )
        for simulated in (False, True)
        for case, name, resource in (*_meters(simulated), *_gateways(simulated))
    }


def _meters(simulated: bool) -> Iterator[tuple[str, UUID, Resource]]:
    for driver, ordinary in METERS.items():
        for case, meter in _states(ordinary):
            name = names.meter(meter.identity)
            yield f"{driver}, {case}", name, device.meter(meter, simulated)
    for case, info in device_infos():
        cuff = replace(METERS["sig_blood_pressure"], info=info)
        yield case, names.meter(cuff.identity), device.meter(cuff, simulated)


def _states(ordinary: DeviceRecord) -> Iterator[tuple[str, DeviceRecord]]:
    yield "as it was met", ordinary
    yield "with new firmware", replace(ordinary, info=replace(ordinary.info, firmware="2.00"))
    yield "telling nothing", replace(ordinary, info=DeviceInfo())
    yield "telling all", replace(ordinary, info=TELLING.info)
    address = "C0:11:22:33:44:55"
    yield "without System ID", replace(ordinary, identity="c01122334455", address=address)


def _gateways(simulated: bool) -> Iterator[tuple[str, UUID, Resource]]:
    for clock in ("ntp", "assumed", "receipt", "none"):
        for version in ("0.1.0", "0.2.0.dev3"):
            box = GatewayInfo(GATEWAY.id, version, clock)
            yield (
                f"gateway {version}, clock {clock}",
                names.gateway(box.id),
                device.gateway(box, simulated),
            )
