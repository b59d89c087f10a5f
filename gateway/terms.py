"""What all messages of this gateway have in common."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.model import GatewayInfo


@dataclass(frozen=True, slots=True)
class Terms:
    """*gate*: whether every Bundle passes through `fhir.resources` before it is stored."""

    gateway: GatewayInfo
    zone: ZoneInfo
    simulated: bool
    gate: bool
