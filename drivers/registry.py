"""Every driver there is: each module of this package that has a DRIVER."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from uuid import UUID

import drivers
from drivers.api import Driver


@cache
def all_drivers() -> Mapping[str, Driver]:
    """Drivers by name. Profiles come before the models that differ from them."""
    found: list[Driver] = []
    for module in pkgutil.iter_modules(drivers.__path__):
        driver = getattr(importlib.import_module(f"drivers.{module.name}"), "DRIVER", None)
        if isinstance(driver, Driver):
            found.append(driver)
    found.sort(key=lambda driver: (not driver.name.startswith("sig_"), driver.name))
    return MappingProxyType({driver.name: driver for driver in found})


def for_characteristic(characteristic: UUID) -> Driver | None:
    """The driver that reads this characteristic as its specification says; None if none does."""
    return next((d for d in all_drivers().values() if characteristic in d.readable), None)
