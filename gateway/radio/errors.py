"""Whatever bleak raises, as a counted LinkError."""

from collections.abc import Iterator
from contextlib import contextmanager

from bleak.exc import BleakGATTProtocolError

from drivers.api import LinkError
from gateway.guests import BondLost
from gateway.link import AttError, Counters

# How a connect ends when the other side does not know our key: as BlueZ words it, measured with a
# meter that had lost its bond and with a stranger who used its address; and the virtual radio.
KEY_REFUSED = ("br-connection-canceled", "has forgotten its bond")


@contextmanager
def link_errors(counters: Counters, doing: str) -> Iterator[None]:
    """Around one call of bleak's; *doing* says in the message what it was about."""
    try:
        yield
    except LinkError:
        counters.link_errors += 1
        raise
    except BleakGATTProtocolError as error:
        counters.link_errors += 1
        raise AttError(f"{doing}: the meter refuses: {error}", int(error.code)) from error
    except TimeoutError as error:
        counters.link_errors += 1
        raise LinkError(f"{doing}: no answer in time") from error
    except Exception as error:
        counters.link_errors += 1
        if any(words in str(error) for words in KEY_REFUSED):
            counters.bond_errors += 1
            raise BondLost(f"{doing}: {error}") from error
        raise LinkError(f"{doing}: {error or type(error).__name__}") from error
