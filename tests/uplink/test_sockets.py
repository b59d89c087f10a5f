"""What paho asks of the event loop, and when its socket is gone by then."""

import asyncio
import socket
import ssl

from gateway.config import Broker
from gateway.uplink.client import Client
from simulator.pki import Authority, Identity
from tests.uplink.conftest import GATEWAY, a_will


async def test_a_socket_that_was_closed_meanwhile_leaves_nobody_watched(
    authority: Authority, identity: Identity
) -> None:
    broker = Broker(
        host="127.0.0.1", ca=authority.ca, certificate=identity.certificate, key=identity.key
    )
    client = Client(broker, GATEWAY, a_will(), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    ours, theirs = socket.socketpair()
    number = ours.fileno()
    client._on_socket_register_write(client._client, None, ours)
    ours.close()
    newcomer = theirs.dup()  # takes the number that is free
    assert newcomer.fileno() == number
    await asyncio.sleep(0)
    assert not asyncio.get_running_loop().remove_writer(number)
    newcomer.close()
    theirs.close()
