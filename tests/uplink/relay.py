"""Something between gateway and broker that can go deaf: the connection looks open to both ends.

So does a half-open one: a router that was unplugged, a NAT entry that was dropped.
"""

import asyncio
from types import TracebackType
from typing import Self


class Relay:
    """Passes octets on to *port* until it is told to be deaf."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._hearing = asyncio.Event()
        self._hearing.set()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        self._hearing.set()
        for writer in self._writers:
            writer.close()
        for writer in self._writers:
            await asyncio.wait({asyncio.ensure_future(_closed(writer))})

    def deaf(self) -> None:
        """From now on nothing passes, and nobody is told."""
        self._hearing.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        beyond_reader, beyond_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, beyond_writer]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pass(reader, beyond_writer), name="up")
            group.create_task(self._pass(beyond_reader, writer), name="down")

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while octets := await reader.read(4096):
                await self._hearing.wait()
                writer.write(octets)
                await writer.drain()
        except OSError:
            return
        finally:
            writer.close()


async def _closed(writer: asyncio.StreamWriter) -> None:
    try:
        await writer.wait_closed()
    except OSError:
        return
