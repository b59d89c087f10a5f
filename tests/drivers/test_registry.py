"""One new device is one new file: drivers are found, not listed."""

import sys
from pathlib import Path

import pytest

import drivers
from drivers.api import Advertisement, Driver, sig_uuid
from drivers.registry import all_drivers, for_characteristic

NEW_MODEL = """
from dataclasses import replace
from drivers.sig_weight_scale import DRIVER as PROFILE
DRIVER = replace(PROFILE, name="acme_scale", title="Acme scale")
"""


def test_the_five_profiles_are_found_by_the_names_of_their_modules() -> None:
    assert list(all_drivers()) == [
        "sig_blood_pressure",
        "sig_glucose",
        "sig_pulse_oximeter",
        "sig_thermometer",
        "sig_weight_scale",
    ]


def test_every_driver_bears_the_name_of_its_module() -> None:
    for name in all_drivers():
        assert sys.modules[f"drivers.{name}"].DRIVER is all_drivers()[name]


def test_a_file_in_the_package_is_a_driver_and_yields_to_the_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_scale.py").write_text(NEW_MODEL, encoding="utf-8")
    monkeypatch.setattr(drivers, "__path__", [*drivers.__path__, str(tmp_path)])
    all_drivers.cache_clear()
    try:
        assert "acme_scale" in all_drivers()
        profile = for_characteristic(sig_uuid(0x2A9D))
        assert profile is not None
        assert profile.name == "sig_weight_scale"
    finally:
        monkeypatch.undo()
        sys.modules.pop("drivers.acme_scale", None)
        all_drivers.cache_clear()


@pytest.mark.parametrize("driver", all_drivers().values(), ids=list(all_drivers()))
def test_a_driver_reads_all_that_it_keeps_and_knows_its_advertisement(
    driver: Driver,
) -> None:
    assert set(driver.data) <= set(driver.readable)
    assert driver.matches(Advertisement("", None, frozenset({driver.service})))
    assert not driver.matches(Advertisement("", None, frozenset()))


def test_a_characteristic_that_nobody_reads_has_no_driver() -> None:
    assert for_characteristic(sig_uuid(0x2A37)) is None
