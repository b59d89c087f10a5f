"""The two programs that are killed, and how they are set up."""

from collections.abc import Sequence
from pathlib import Path

from simulator.broker import Broker
from simulator.home import Home
from simulator.meters.peripheral import Peripheral
from simulator.pki import Authority
from tests.torture.means import WallClock
from tests.torture.parts import Part

GATEWAY, ORGANISATION, RECEIVER = "gw-t0rt9red00", "torture", "care-team"

CONFIGURATION = """\
[gateway]
id = "{gateway}"
organisation = "{organisation}"
state_dir = "{state}"
socket = "{folder}/control.sock"

[broker]
host = "{host}"
port = {port}
ca = "{ca}"
certificate = "{certificate}"
key = "{key}"
backoff_cap_s = 0.3
resend_s = 2
resend_cap_s = 4

[outbox]
key = "{folder}/outbox.key"

[radio]
backend = "bumble"
adapter = "{adapter}"
links = 5

[clock]
trust = "{trust}"

[fhir]
simulated = true
"""


def gateway(folder: Path, clock: WallClock | None, home: Home) -> Part:
    return Part(
        "gateway",
        ["-m", "gateway", "run", "--config", str(folder / "gateway.toml")],
        folder / "gateway.log",
        clock.prefix if clock else (),
        {"NOTIFY_SOCKET": str(folder / "notify"), **(clock.environment if clock else {})},
        lambda: _silent(home),
    )


def _silent(home: Home) -> bool:
    """Whether the air has nothing more of any gateway."""
    return not home.air._hosts and not any(each.connection for each in peripherals(home))


def peripherals(home: Home) -> Sequence[Peripheral]:
    meters = (home.cuff, home.glucose, home.scale, home.thermometer, home.oximeter)
    return [meter.peripheral for meter in meters]


def receiver(folder: Path, broker: Broker, authority: Authority) -> Part:
    identity = authority.client(RECEIVER)
    options = {
        "--host": broker.host,
        "--port": str(broker.port),
        "--ca": str(broker.ca),
        "--cert": str(identity.certificate),
        "--key": str(identity.key),
        "--store": str(folder / "receiver.db"),
        "--org": ORGANISATION,
        "--by": RECEIVER,
        "--reconnect-cap": "0.3",
    }
    words = [word for option in options.items() for word in option]
    return Part("receiver", ["-m", "backend", "run", *words], folder / "receiver.log")


def configure(
    folder: Path, state: Path, broker: Broker, authority: Authority, adapter: str, trust: str
) -> None:
    """Write the gateway's configuration."""
    identity = authority.client(GATEWAY)
    text = CONFIGURATION.format(
        gateway=GATEWAY,
        organisation=ORGANISATION,
        state=state,
        folder=folder,
        host=broker.host,
        port=broker.port,
        ca=broker.ca,
        certificate=identity.certificate,
        key=identity.key,
        adapter=adapter,
        trust=trust,
    )
    (folder / "gateway.toml").write_text(text, "utf-8")
