"""The connection under aiomqtt: how its socket is opened, watched and lost.

aiomqtt 2.5 lets waiters run into a time limit when the link is lost, and leaves unsent messages
in paho's queue, which would send them again by itself. Here rows live on disk alone: what is in
flight when the link is lost has failed. Names of aiomqtt's own are overridden: it is pinned
below 3, and tests/uplink holds each of these habits against a scripted broker.
"""

import asyncio
import threading
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

import aiomqtt
from aiomqtt.types import PahoSocket
from paho.mqtt.client import Client as Paho
from paho.mqtt.client import DisconnectFlags
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.uplink.errors import UplinkError, reason, unreachable
from gateway.uplink.window import Window

T = TypeVar("T")

NOT_MQTT: Final = "what the broker sent is not MQTT 5; is something else listening there?"
TURNED_AWAY: Final = (
    "the connection ended before our CONNECT was answered: the broker's log says why, if it is one"
)

# What paho-mqtt says when it is not the broker who hung up (MQTT 5.0, 2.4).
PROTOCOL_ERROR = 0x82
KEEP_ALIVE_TIMEOUT = 0x8D


class Wire(aiomqtt.Client):
    """aiomqtt's client, mended where a connection begins and where it ends."""

    def __init__(self, hostname: str, port: int, **settings: Any) -> None:  # noqa: ANN401 - aiomqtt's
        super().__init__(hostname, port, **settings)
        self.loss: UplinkError | None = None
        self._outstanding: Final = Window()
        self._trouble: str | None = None  # why TLS ended
        self._opening: Final = threading.Lock()
        self._disconnected.add_done_callback(self._on_gone)

    def lose(self, loss: UplinkError) -> None:
        """The link is gone: everything that waits fails now, nothing is left to be sent again."""
        if self.loss is not None:
            return
        self.loss = loss
        waiters: list[asyncio.Future[Any]] = [self._connected]
        for waiter in (*waiters, *self._pending_subscribes.values()):
            if not waiter.done():
                waiter.set_exception(loss.again())
                waiter.exception()  # whoever waited may have gone away
        self._outstanding.fail(loss)
        self._client.drop_out_messages()
        if not self._disconnected.done():
            self._disconnected.set_result(None)
        self._loop.call_soon(self._hang_up)  # not now: paho holds a lock while it calls us

    def or_lost(self, otherwise: UplinkError) -> UplinkError:
        """Why the link was lost, if it was."""
        return otherwise if self.loss is None else self.loss.again()

    def _give_up(self, loss: UplinkError) -> None:
        """As `lose`; a connection that is just being opened in its thread does not come to be."""
        with self._opening:
            self.lose(loss)
        self._hang_up()

    def _hang_up(self) -> None:
        self._client._sock_close()  # noqa: SLF001  # paho has no public way to just hang up

    # What aiomqtt and paho-mqtt call.

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109  # aiomqtt's signature
        """As aiomqtt's, without the wait_for of Python 3.11: it can swallow a cancellation."""
        try:
            async with asyncio.timeout(self.timeout if timeout is None else timeout):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError("no answer from the broker") from None

    def _client_connect(self) -> None:
        try:
            super()._client_connect()
        except (OSError, UnicodeError) as error:
            raise unreachable(error, self._hostname, self._port) from error

    def _on_disconnect(
        self,
        client: Paho,  # noqa: ARG002  # paho's signature
        userdata: object,  # noqa: ARG002  # paho's signature
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,  # noqa: ARG002  # paho's signature
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            code = reason_code.value
            self.lose(UplinkError("lost", f"the broker hung up: {reason(code)}", code))
        elif self._trouble is not None:
            self.lose(UplinkError("tls", self._trouble))
        elif reason_code.value == PROTOCOL_ERROR:
            self.lose(UplinkError("protocol", NOT_MQTT))
        elif reason_code.value == KEEP_ALIVE_TIMEOUT:
            self.lose(UplinkError("lost", "the connection ended: no answer to a ping"))
        elif not self._connected.done():
            self.lose(UplinkError("unanswered", TURNED_AWAY))
        else:
            self.lose(UplinkError("lost", "the broker or the way to it went away"))

    def _on_socket_open(self, client: Paho, userdata: object, sock: PahoSocket) -> None:
        with self._opening:  # called in the thread that connects
            if self.loss is not None:
                raise ConnectionAbortedError("given up while connecting")
            super()._on_socket_open(client, userdata, sock)

    def _on_socket_close(self, client: Paho, userdata: object, sock: PahoSocket) -> None:
        self._trouble = getattr(sock, "trouble", None)
        super()._on_socket_close(client, userdata, sock)

    def _on_socket_register_write(
        self,
        client: Paho,
        userdata: object,  # noqa: ARG002  # paho's signature
        sock: PahoSocket,
    ) -> None:
        """aiomqtt would do it later by number, which may then be that of somebody else's socket."""

        def flush() -> None:
            try:
                client.loop_write()
            except (OSError, ValueError) as error:  # a broken pipe; a socket that was closed
                if not self._disconnected.done():
                    self._disconnected.set_exception(error)

        def watch() -> None:
            if (number := sock.fileno()) >= 0:
                self._loop.add_writer(number, flush)

        self._loop.call_soon_threadsafe(watch)  # called in the thread that connects, too

    def _on_gone(self, gone: asyncio.Future[None]) -> None:
        """aiomqtt ends a connection so when reading or parsing raised."""
        if not gone.cancelled() and (error := gone.exception()) is not None:
            self.lose(UplinkError("protocol", f"{NOT_MQTT} ({type(error).__name__})"))
