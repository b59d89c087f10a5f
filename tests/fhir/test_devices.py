"""What the two Devices say, and what they do not."""

from dataclasses import replace
from typing import Any

import pytest

from drivers.api import Certification, DeviceInfo, PnpId, Udi
from gateway.fhir import device
from tests.fhir.records import CUFF, GATEWAY, TELLING

Json = dict[str, Any]

NONE, NTP = "532224", "532226"  # MDC_TIME_SYNC_NONE, MDC_TIME_SYNC_NTPV4


def meter(info: DeviceInfo) -> Json:
    return device.meter(replace(CUFF, info=info), simulated=False)


def answers(found: Json) -> dict[str, str]:
    """Code or words of what each property is, by its code."""
    return {
        each["type"]["coding"][0]["code"]: _said(each["valueCode"][0])
        for each in found.get("property", [])
    }


def _said(value: Json) -> str:
    return str(value["coding"][0]["code"] if "coding" in value else value["text"])


def test_a_meter_that_tells_nothing_has_no_properties_and_no_udi() -> None:
    assert not {"property", "udiCarrier"} & set(meter(DeviceInfo()))


@pytest.mark.parametrize(("regulated", "unregulated"), [(True, "N"), (False, "Y")])
def test_a_medical_device_is_one_that_is_not_unregulated(regulated: bool, unregulated: str) -> None:
    info = DeviceInfo(certification=Certification(regulated=regulated))
    assert answers(meter(info)) == {"532354.0": unregulated}


def test_a_meter_that_does_not_say_whether_it_is_one_is_not_made_to() -> None:
    assert "property" not in meter(DeviceInfo(certification=Certification("6.0")))


@pytest.mark.parametrize(
    ("number", "said"),
    [(0x8007, "32775"), (7, "7"), (0x200F, "Continua interface 8207")],
)
def test_an_interface_has_the_guides_number_or_words(number: int, said: str) -> None:
    info = DeviceInfo(certification=Certification(interfaces=(number,)))
    assert answers(meter(info)) == {"532353": said}


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        ("", {}),
        ("readable", {"68219.0": "Y", "68219.1": "N"}),
        ("settable", {"68219.0": "Y", "68219.1": "Y"}),
    ],
)
def test_a_clock_is_told_as_gatt_has_it(clock: Any, said: dict[str, str]) -> None:
    assert answers(meter(DeviceInfo(clock=clock))) == said


@pytest.mark.parametrize(("source", "told"), [(0, False), (1, False), (2, True), (3, False)])
def test_a_product_is_told_by_the_numbers_of_usb_alone(source: int, told: bool) -> None:
    said = answers(meter(DeviceInfo(pnp_id=PnpId(source, 0x1A, 0x2B3C, 1))))
    assert said == ({"USB": "VID_001A:PID_2B3C"} if told else {})


@pytest.mark.parametrize(
    ("oid", "uri"),
    [
        ("2.51", "http://hl7.org/fhir/NamingSystem/gs1-di"),
        ("2.16.840.1.113883.3.24", "http://hl7.org/fhir/NamingSystem/fda-udi"),
        ("2.51.1.1", "urn:oid:2.51.1.1"),
        ("1.2", None),
        ("GS1", None),
        ("", None),
    ],
)
def test_who_issues_a_udi_is_a_uri_or_left_out(oid: str, uri: str | None) -> None:
    (carrier,) = meter(DeviceInfo(udi=Udi("(01)1", "1", oid, oid)))["udiCarrier"]
    said = {"deviceIdentifier": "1", "issuer": uri, "jurisdiction": uri, "carrierHRF": "(01)1"}
    assert carrier == {name: text for name, text in said.items() if text}


def test_a_udi_of_which_nothing_can_be_told_is_left_out() -> None:
    assert "udiCarrier" not in meter(DeviceInfo(udi=Udi(issuer="GS1")))


def test_the_version_of_continuas_guidelines_replaces_no_other() -> None:
    told = meter(TELLING.info)["version"]
    untold = meter(DeviceInfo(certification=Certification("6.0")))["version"]
    assert [(each["type"]["coding"][0]["code"], each["value"]) for each in told] == [
        ("531974", "B2"),
        ("531975", "7"),
        ("531976", "1.04"),
        ("532352", "6.0"),
    ]
    assert [each["value"] for each in untold] == ["unknown", "6.0"]


@pytest.mark.parametrize(
    ("clock", "method"), [("ntp", NTP), ("assumed", NONE), ("receipt", NONE), ("none", NONE)]
)
def test_only_network_time_is_claimed_as_such(clock: str, method: str) -> None:
    found = device.gateway(replace(GATEWAY, clock=clock), simulated=False)
    assert answers(found) == {"68220": method}
