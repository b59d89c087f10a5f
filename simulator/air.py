"""The air in a virtual home: one Bumble link, and a socket where a gateway finds its adapter."""

import asyncio
import logging
import secrets
from pathlib import Path
from typing import Self, cast

from bumble import hci, ll
from bumble.controller import Connection, Controller
from bumble.core import PhysicalTransport
from bumble.link import LocalLink
from bumble.transport.common import PacketParser, Transport

# Bumble's controller offers both, yet answers in the plain old way that they replace.
NOT_OFFERED = hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING

SUPERVISION_S = 1.0  # real ones take up to 32 s; the meters here are in a hurry

logging.getLogger("bumble").setLevel(logging.ERROR)  # every late packet is a warning to it


class Air:
    """Everybody's controllers. Each host that connects to *socket* gets one of its own."""

    def __init__(self, socket: Path) -> None:
        self.adapter = f"unix:{socket}"  # what a gateway's configuration calls it
        self._socket = socket
        self._link = _Link()
        self._hosts: set[asyncio.Transport] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._socket.unlink(missing_ok=True)
        self._server = await loop.create_unix_server(lambda: _Port(self), str(self._socket))
        self._socket.chmod(0o600)  # whoever opens it is the gateway
        self._supervising = asyncio.create_task(self._supervise(), name="supervision")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._supervising.cancel()
        self._server.close()
        self.cut()
        self._socket.unlink(missing_ok=True)

    def controller(self, name: str) -> Controller:
        controller = _Controller(name, link=self._link)
        controller.le_features &= ~NOT_OFFERED
        return controller

    def cut(self) -> None:
        """Take the adapter away from every host, as if it were pulled out."""
        for transport in tuple(self._hosts):
            transport.abort()

    def joined(self, transport: asyncio.Transport) -> None:
        self._hosts.add(transport)

    def left(self, transport: asyncio.Transport, controller: Controller) -> None:
        """A host is gone."""
        self._hosts.discard(transport)
        self.unplug(controller)

    def plug(self, transport: Transport) -> Controller:
        """One more adapter, for the host behind *transport*: a kernel behind /dev/vhci.

        It has a public address, another each time, as every real one has. Without it a kernel
        that scans and connects at once connects in the name of a throw-away address, believes
        otherwise, and no bond comes about.
        """
        controller = self.controller("kernel")
        own = b"\x02" + secrets.token_bytes(5)  # locally administered; shown in this order
        controller.public_address = hci.Address(own[::-1], hci.Address.PUBLIC_DEVICE_ADDRESS)
        controller.host = transport.sink
        transport.source.set_packet_sink(controller)
        return controller

    def unplug(self, controller: Controller) -> None:
        """Take it out of the air: its peers see a supervision timeout."""
        controller.host = None
        for connection in controller.le_connections.values():
            if self._link.find_le_controller(connection.peer_address):
                connection.send_ll_control_pdu(
                    ll.TerminateInd(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
                )
        self._link.remove_controller(controller)

    async def _supervise(self) -> None:
        """For ever: a link that has one end only, at two looks, ends: nobody answers there."""
        before: set[tuple[int, int]] = set()
        while True:
            await asyncio.sleep(SUPERVISION_S / 2)
            alone = self._link.one_sided()
            for controller, connection in alone:
                if (id(controller), connection.handle) in before:
                    controller.on_le_disconnected(
                        connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
                    )
            before = {(id(controller), connection.handle) for controller, connection in alone}


class _Link(LocalLink):
    """Bumble's, that sends in the name of the connection.

    Its own takes the random address of the moment, and a kernel that scans while it is connected
    changes that.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Bumble has no annotation here

    def one_sided(self) -> list[tuple[Controller, Connection]]:
        """Connections whose other end does not know of them: it was taken away in the act."""
        ends = [
            (controller, connection)
            for controller in self.controllers
            for connection in controller.le_connections.values()
        ]
        known = {(str(each.self_address), str(each.peer_address)) for _, each in ends}
        return [
            (controller, each)
            for controller, each in ends
            if (str(each.peer_address), str(each.self_address)) not in known
        ]

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        sender = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if transport is PhysicalTransport.LE and sender is not None and receiver is not None:
            asyncio.get_running_loop().call_soon(
                receiver.on_link_acl_data, sender.self_address, transport, data
            )


class _Controller(Controller):
    """Bumble's, whose "cancel" leaves the connection pending: it would come about later."""

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=pending.peer_address.address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)


class _Port(asyncio.Protocol):
    """One host's HCI connection, octets both ways."""

    def __init__(self, air: Air) -> None:
        self._air = air

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # a stream: what a socket gives
        self._controller = self._air.controller("gateway")
        self._controller.host = self
        self._parser = PacketParser(self._controller)
        self._air.joined(self._transport)

    def on_packet(self, packet: bytes) -> None:
        """From the controller: Bumble's name for a sink's method."""
        self._transport.write(packet)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._air.left(self._transport, self._controller)
