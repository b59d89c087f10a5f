"""Whatever bleak raises, as a counted LinkError."""

from collections.abc import Iterator
from contextlib import contextmanager

from bleak.exc import BleakGATTProtocolError

from drivers.api import LinkError
from gateway.link import AttError, Counters


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
        raise LinkError(f"{doing}: {error or type(error).__name__}") from error
