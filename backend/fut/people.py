"""Who a citizen is at FUT.

A file that the operator keeps, in TOML: the receiver knows citizens by opaque identifiers alone.

    ["urn:ietf:rfc:3986|urn:uuid:7d0c6a52-1c1f-4a55-9b39-6b0f7c1e2f10"]
    patient = "https://patient.example/fhir/Patient/1001"
    episodes = ["https://careplan.example/fhir/EpisodeOfCare/3001"]
    devices = { "urn:uuid:..." = "https://device.example/fhir/Device/5001" }
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.onward_files import FileUnusable

LINE = re.compile(r"\(at line (\d+), column \d+\)$")


@dataclass(frozen=True, slots=True)
class Person:
    """A citizen at FUT. All are absolute URLs there; `devices`: by our identifiers of
    meters and of the gateway."""

    patient: str
    episodes: tuple[str, ...] = ()  # if given, no other is looked at
    devices: Mapping[str, str] = field(default_factory=dict)


People = Mapping[str, Person]


def load(path: Path) -> People:
    """By `system|value`. Raises FileUnusable, whose text quotes nobody."""
    try:
        with path.open("rb") as file:
            rows = tomllib.load(file)
    except OSError as error:
        raise FileUnusable(f"{path}: {error}") from error
    except ValueError as error:  # which quotes a name that stands there twice
        line = LINE.search(str(error))
        where = f" at line {line[1]}" if line else ""
        raise FileUnusable(f"{path}: no TOML, or somebody twice{where}") from None
    return {name: _person(row, f"{path}: entry {n}") for n, (name, row) in enumerate(rows.items())}


def _person(row: Any, where: str) -> Person:  # noqa: ANN401 -- whatever stood there
    if not isinstance(row, dict) or set(row) - {"patient", "episodes", "devices"}:
        raise FileUnusable(f"{where}: expected a table of patient, episodes, devices")
    patient, episodes, devices = row.get("patient"), row.get("episodes", []), row.get("devices", {})
    if not isinstance(episodes, list) or not isinstance(devices, dict):
        raise FileUnusable(f"{where}: episodes is a list, devices is a table")
    urls = [patient, *episodes, *devices.values()]
    if not all(isinstance(url, str) and url.startswith("https://") for url in urls):
        raise FileUnusable(f"{where}: expected whole URLs at FUT, https://...")
    return Person(str(patient), tuple(episodes), devices)
