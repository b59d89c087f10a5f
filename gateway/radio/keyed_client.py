"""bleak's client for BlueZ, that gives up at once where the meter does not know our key."""

from typing import Any

from bleak import BleakClient
from bleak.exc import BleakDBusError

from gateway.guests import BondLost

# How BlueZ words a connect that ended while it was being encrypted: measured with a meter that had
# lost its bond, and with a stranger who used its address. It says so too where there is no bond.
KEY_REFUSED = "br-connection-canceled"


class KeyedClient(BleakClient):
    """Its `connect` raises BondLost; the retry connector would take that for a bad moment."""

    async def connect(self, **options: Any) -> None:  # noqa: ANN401  # bleak's own signature
        try:
            await super().connect(**options)
        except BleakDBusError as error:
            if KEY_REFUSED in str(error):
                raise BondLost(str(error)) from error
            raise
