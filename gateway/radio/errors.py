"""Whatever bleak raises, as a counted LinkError."""

from collections.abc import Iterator
from contextlib import contextmanager

from bleak.exc import BleakGATTProtocolError

from drivers.api import LinkError
from gateway.guests import BondLost
from gateway.link import AttError, Counters

KEY_REFUSED = "has forgotten its bond"  # in the virtual radio's words; for BlueZ see keyed_client


@contextmanager
def link_errors(counters: Counters, doing: str) -> Iterator[None]:
    """Around one call of bleak's; *doing* says in the message what it was about."""
    try:
        yield
    except LinkError as error:
        counters.link_errors += 1
        counters.bond_errors += isinstance(error, BondLost)
        raise
    except BleakGATTProtocolError as error:
        counters.link_errors += 1
        raise AttError(f"{doing}: the meter refuses: {error}", int(error.code)) from error
    except TimeoutError as error:
        counters.link_errors += 1
        raise LinkError(f"{doing}: no answer in time") from error
    except Exception as error:
        counters.link_errors += 1
        if KEY_REFUSED in str(error):
            counters.bond_errors += 1
            raise BondLost(f"{doing}: {error}") from error
        raise LinkError(f"{doing}: {error or type(error).__name__}") from error
