"""A home and its care team on this machine: meters, gateway, broker, receiver; all real processes.

    async with stage(folder) as here:   # everything runs; the gateway knows no meter yet
        await here.command("devices", "list")

Everything lives in *folder*, which stays; what was started is ended by its process id.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import control_client
from simulator.broker import Broker
from simulator.child import LOOK_S, Child, StageError, child, finished
from simulator.home import Home
from simulator.pki import Authority, Identity

ORGANISATION = "demo-region"
RECEIVER = "care-team"
OBSERVER = "observer"  # may listen to everything: for whoever wants to look around
GATEWAY_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
BUNDLES = "bundles"  # where in the folder
SOCKET_PATH = 107  # octets at most: unix(7)
START_S = 30.0  # a small computer under load
RECEIVER_PROGRAM = ("-m", "backend", "run")

OBSERVER_RIGHTS = f"\nuser {OBSERVER}\ntopic read hjemgate/1/{ORGANISATION}/#\n"

CONFIGURATION = """\
[gateway]
id = "{gateway}"
organisation = "{organisation}"
state_dir = "{folder}/state"
socket = "{folder}/control.sock"

[broker]
host = "{host}"
port = {port}
ca = "{ca}"
certificate = "{certificate}"
key = "{key}"
# A home waits longer: these let a demonstration end within a minute.
backoff_cap_s = 1.5
resend_s = 3.0
resend_cap_s = 6.0

[outbox]
key = "{folder}/outbox.key"

[radio]
backend = "bumble"
adapter = "{adapter}"
# One for each meter, so that none waits for another.
links = 5

[clock]
trust = "assume"

[fhir]
simulated = true
"""


@dataclass(frozen=True, slots=True)
class Stage:
    folder: Path
    home: Home
    broker: Broker
    gateway_id: str
    gateway: Child
    receiver: Child
    observer: Identity

    @property
    def configuration(self) -> Path:
        return self.folder / "gateway.toml"

    @property
    def socket(self) -> Path:
        """Where the gateway takes orders."""
        return self.folder / "control.sock"

    @property
    def held(self) -> Path:
        """The receiver's database."""
        return self.folder / "receiver.db"

    @property
    def bundles(self) -> Path:
        """A file for each Bundle that the receiver holds."""
        return self.folder / BUNDLES

    def check(self) -> None:
        """Raises StageError if a part of the scenery has gone."""
        self.gateway.check()
        self.receiver.check()

    async def ask(self, do: str, **arguments: object) -> dict[str, Any]:
        """The gateway's answer. Raises control_client.Unreachable and Refused."""
        return await control_client.request(self.socket, do, **arguments)

    def steps(self) -> AsyncIterator[dict[str, Any]]:
        """What happens to readings at the gateway, from now on; an answer to the question first."""
        return control_client.watch(self.socket)

    async def command(self, *words: str) -> str:
        """What `hjemgate WORDS` prints. Raises StageError if it refuses."""
        return await finished("-m", "gateway", *words, "--config", str(self.configuration))


@asynccontextmanager
async def stage(
    folder: Path, receiver_program: Sequence[str] = RECEIVER_PROGRAM
) -> AsyncIterator[Stage]:
    """Raises StageError and BrokerError when something does not start.

    *receiver_program*: what Python is to run as the receiver, with its options behind.
    """
    if len(os.fsencode(folder / "control.sock")) > SOCKET_PATH:
        raise StageError(f"{folder}: too long a name for sockets; set TMPDIR to a shorter one")
    authority = Authority(folder / "certificates")
    gateway_id = "gw-" + "".join(secrets.choice(GATEWAY_ALPHABET) for _ in range(10))
    broker = Broker(folder / "broker", authority, ORGANISATION, [gateway_id], [RECEIVER])
    with (folder / "broker" / "acl").open("a", encoding="ascii") as rights:
        rights.write(OBSERVER_RIGHTS)
    async with AsyncExitStack() as running:
        await running.enter_async_context(broker)
        home = await running.enter_async_context(Home(folder / "air.sock"))
        options = _receiver_options(folder, broker, authority.client(RECEIVER))
        receiver = await running.enter_async_context(
            child("the receiver", [*receiver_program, *options], folder / "receiver.log")
        )
        configuration = folder / "gateway.toml"
        configuration.write_text(
            _configuration(folder, broker, gateway_id, authority.client(gateway_id), home.adapter),
            "utf-8",
        )
        gateway = await running.enter_async_context(
            child(
                "the gateway",
                ["-m", "gateway", "run", "--config", str(configuration)],
                folder / "gateway.log",
            )
        )
        here = Stage(
            folder, home, broker, gateway_id, gateway, receiver, authority.client(OBSERVER)
        )
        await _ready(here)
        yield here


def _receiver_options(folder: Path, broker: Broker, identity: Identity) -> list[str]:
    options = {
        "--host": broker.host,
        "--port": str(broker.port),
        "--ca": str(broker.ca),
        "--cert": str(identity.certificate),
        "--key": str(identity.key),
        "--store": str(folder / "receiver.db"),
        "--export": str(folder / BUNDLES),
        "--org": ORGANISATION,
        "--by": RECEIVER,
        "--reconnect-cap": "1.5",
    }
    return [word for option in options.items() for word in option]


def _configuration(
    folder: Path, broker: Broker, gateway: str, identity: Identity, adapter: str
) -> str:
    return CONFIGURATION.format(
        gateway=gateway,
        organisation=ORGANISATION,
        folder=folder,
        host=broker.host,
        port=broker.port,
        ca=broker.ca,
        certificate=identity.certificate,
        key=identity.key,
        adapter=adapter,
    )


async def _ready(here: Stage) -> None:
    """Until the receiver listens and the gateway answers."""
    try:
        async with asyncio.timeout(START_S):
            while "listening" not in here.receiver.said():
                here.check()
                await asyncio.sleep(LOOK_S)
            while not await _answers(here):
                here.check()
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise StageError(
            f"not ready after {START_S:.0f} s.\nThe receiver said: {here.receiver.said()}\n"
            f"The gateway said: {here.gateway.said()}"
        ) from None


async def _answers(here: Stage) -> bool:
    try:
        await here.ask("status")
    except control_client.Unreachable:
        return False
    return True
