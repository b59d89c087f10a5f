"""The broker, as the gateway sees it; the only place that imports aiomqtt and paho-mqtt."""

from gateway.uplink.errors import Refused, UplinkError
from gateway.uplink.session import NO_SUBSCRIBERS, Incoming, Session, Uplink

__all__ = ["NO_SUBSCRIBERS", "Incoming", "Refused", "Session", "Uplink", "UplinkError"]
