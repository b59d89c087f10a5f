"""A real mosquitto on 127.0.0.1, with the project's own configuration from config/broker/."""

import asyncio
import os
import shutil
import socket
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from simulator.pki import Authority

TEMPLATES = Path(__file__).parent.parent / "config" / "broker"
ADDRESS = "127.0.0.1"
START_S = 10.0
STOP_S = 5.0


class BrokerError(Exception):
    """mosquitto is not there, or does not start; the text says why."""


class Broker:
    """Started and stopped as often as wanted, always on the same port, with what it kept.

    Its access list knows *gateways* and *receivers*, all of *organisation*, by the common names
    of their certificates.
    """

    def __init__(
        self,
        directory: Path,
        authority: Authority,
        organisation: str,
        gateways: Sequence[str],
        receivers: Sequence[str] = ("receiver-1",),
        port: int = 0,
    ) -> None:
        self.host = ADDRESS
        self.port = port or _free_port()
        self.ca = authority.ca
        self.log = directory / "mosquitto.log"
        self._config = directory / "mosquitto.conf"
        self._process: asyncio.subprocess.Process | None = None
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "acl").write_text(access_list(organisation, gateways, receivers))
        (directory / "acl").chmod(0o600)
        identity = authority.server("broker")
        text = _fill(
            (TEMPLATES / "mosquitto.conf.in").read_text(),
            {
                "PORT": str(self.port),
                "ADDRESS": ADDRESS,
                "CA": str(authority.ca),
                "CERTIFICATE": str(identity.certificate),
                "KEY": str(identity.key),
                "ACL": str(directory / "acl"),
                "PERSISTENCE": f"{directory}/",
                "LOG": f"file {self.log}",
            },
        )
        if os.geteuid() == 0:
            text += "\n# Started by root for a test: it could not read its files as another user.\n"
            text += "user root\n"
        self._config.write_text(text)

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Return when it accepts connections. Raises BrokerError."""
        self._process = await asyncio.create_subprocess_exec(
            _mosquitto(),
            "-c",
            str(self._config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(START_S):
                while not await self._listens():
                    if self._process.returncode is not None:
                        raise BrokerError(f"mosquitto ended at once; its log: {self._last_words()}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            await self.stop()
            raise BrokerError(f"mosquitto does not listen; its log: {self._last_words()}") from None

    async def stop(self) -> None:
        """End it as an administrator would; what it keeps is on disk."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def kill(self) -> None:
        """SIGKILL: as a crash. What it had not written down is gone."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _listens(self) -> bool:
        """Whether it answers a TLS handshake: the port is open before its certificate was read."""
        tls = ssl.create_default_context(cafile=self.ca)
        try:
            _, writer = await asyncio.open_connection(self.host, self.port, ssl=tls)
        except OSError:  # nobody listens, or hung up in the middle
            return False
        writer.transport.abort()  # it waits for a certificate of ours
        return True

    def _last_words(self) -> str:
        return self.log.read_text()[-500:] if self.log.exists() else "(none)"


def access_list(organisation: str, gateways: Sequence[str], receivers: Sequence[str]) -> str:
    """The access list of the contract for these accounts."""
    gateway = (TEMPLATES / "gateway.acl.in").read_text()
    receiver = (TEMPLATES / "receiver.acl.in").read_text()
    return "".join(
        [_fill(gateway, {"GATEWAY": g, "ORGANISATION": organisation}) for g in gateways]
        + [_fill(receiver, {"RECEIVER": r, "ORGANISATION": organisation}) for r in receivers]
    )


def _fill(template: str, values: Mapping[str, str]) -> str:
    lines = [line for line in template.splitlines() if not line.startswith("#")]
    text = "\n".join(lines) + "\n"
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _mosquitto() -> str:
    path = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise BrokerError("mosquitto is not installed: apt install mosquitto")
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port
