"""Bluetooth: what is heard, and links to meters. The only package that imports bleak.

bleak and D-Bus raise what they like; here, and only here, all of it becomes a counted LinkError.
"""

from gateway.link import AttError, Counters, Limits, Link, RadioError
from gateway.radio.radio import Radio, everybody
from gateway.radio.scan import Wanted

__all__ = ["AttError", "Counters", "Limits", "Link", "Radio", "RadioError", "Wanted", "everybody"]
