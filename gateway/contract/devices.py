"""What Devices are called: a UUID from what does not change, so that a receiver can hold it against
what the Device says of itself.
"""

from uuid import UUID, uuid5

NAMESPACE = UUID("3d7e1c52-9a0b-5f6e-8c41-6f2a9b7d0e13")  # ours, drawn once; never change it


def meter_name(identity: str) -> UUID:
    """*identity*: the hex digits of its System ID, or of its Bluetooth address."""
    return uuid5(NAMESPACE, f"meter:{identity.upper()}")


def gateway_name(gateway: str) -> UUID:
    """*gateway*: `gw-` and ten more."""
    return uuid5(NAMESPACE, f"gateway:{gateway}")
