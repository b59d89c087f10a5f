"""One TOML file, one frozen model. An unknown key is an error, and an error names its cure."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from gateway.explain import explain

DEFAULT_PATH = Path("/etc/hjemgate/gateway.toml")

GatewayId = Annotated[str, Field(pattern=r"^gw-[0-9a-hjkmnp-tv-z]{10}$")]
Segment = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]  # one level of an MQTT topic


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('a time zone such as "Europe/Copenhagen"') from None
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


class ConfigError(Exception):
    """The configuration cannot be used; the text says what to write instead."""


class Section(BaseModel):
    # A section's own validator is built when it is used alone: memory, and time at the start.
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )


class Gateway(Section):
    """Who this gateway is."""

    id: GatewayId
    organisation: Segment = Field(
        description="The responsible organisation: its SOR code or another opaque id, no name."
    )
    state_dir: Path = Field(
        default=Path("/var/lib/hjemgate"), strict=False, description="Where the outbox lives."
    )
    socket: Path = Field(
        default=Path("/run/hjemgate/control.sock"),
        strict=False,
        description="The local socket that the commands speak to.",
    )
    zone: Zone = Field(default="Europe/Copenhagen", description="Formats times; stores none.")


class Broker(Section):
    """The MQTT 5 broker. TLS and a client certificate, always."""

    host: str = Field(min_length=1, description="Name or address; the certificate must bear it.")
    port: int = Field(default=8883, ge=1, le=65535, description="MQTT over TLS.")
    ca: Path = Field(strict=False, description="PEM: the authority that signed the broker.")
    certificate: Path = Field(strict=False, description="PEM: ours; its CN is the gateway id.")
    key: Path = Field(strict=False, description="PEM: the private key to it.")
    keepalive_s: int = Field(
        default=300, ge=5, le=3600, description="Silence after which the link is probed."
    )
    window: int = Field(default=20, ge=1, le=65535, description="Publishes outstanding at most.")
    backoff_cap_s: float = Field(
        default=900.0, ge=0.1, le=86400, description="The longest pause before the next attempt."
    )
    receipts: bool = Field(
        default=True,
        description="false: nobody answers, the broker's word is the end. Readings can be lost.",
    )
    required_receivers: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Names (`by`) that must each confirm; empty: any one receiver.",
    )
    resend_s: float = Field(
        default=600.0, ge=1, description="No receipt after this long: sent again, then ever slower."
    )
    resend_cap_s: float = Field(
        default=21600.0, ge=1, description="The longest pause between two sends of one reading."
    )


class Outbox(Section):
    """The durable store."""

    key: Path = Field(
        default=Path("/etc/hjemgate/outbox.key"),
        strict=False,
        description="32 octets in hex; made at the first start if there is no outbox yet.",
    )
    keep_days: float = Field(
        default=7, ge=0, description="Bodies are kept this long after receipt."
    )
    quota_mib: int = Field(
        default=256, ge=4, description="What the outbox may take; less than the disk has."
    )


class Radio(Section):
    """The Bluetooth adapter."""

    backend: str = Field(default="bluez", description="bluez, or a virtual radio by its name.")
    adapter: str = Field(default="hci0", description="bluez: the adapter; virtual: HCI address.")
    links: int = Field(default=3, ge=1, le=8, description="Connections at the same time.")


class Clock(Section):
    """What makes our clock worth believing."""

    trust: Literal["ntp", "assume"] = Field(
        default="ntp", description="assume: believe it without proof; for demonstrations."
    )


class Commands(Section):
    """Commands that come over the broker."""

    obey: bool = Field(
        default=False, description="Carry out commands that are signed by the fleet key."
    )
    fleet_key: Path = Field(
        default=Path("/etc/hjemgate/fleet.pem"),
        strict=False,
        description="PEM: the public Ed25519 key of whoever commands; read if obey is true.",
    )


class Fhir(Section):
    """How Bundles are made."""

    gate: bool = Field(
        default=True, description="Parse every Bundle with fhir.resources before it is stored."
    )
    patient_system: str = Field(
        default="urn:ietf:rfc:3986", description="System of the opaque patient identifiers."
    )
    patient_reference: Literal["conditional", "logical", "entry"] = Field(
        default="conditional",
        description="conditional: by identifier; logical: Patient/<value>; entry: in the Bundle.",
    )
    simulated: bool = Field(default=False, description="Mark everything as test data (HTEST).")


class Config(Section):
    """Every setting of the gateway."""

    gateway: Gateway
    broker: Broker
    outbox: Outbox = Outbox()
    radio: Radio = Radio()
    clock: Clock = Clock()
    fhir: Fhir = Fhir()
    commands: Commands = Commands()


def load(path: Path) -> Config:
    """Read *path*. Raises ConfigError with one line: file, key or line, what was expected."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; copy config/gateway.toml there and fill it in,"
            " or name another with --config"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); check its owner and mode") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}; correct that line") from error
    return parse(data, str(path))


def parse(data: dict[str, Any], source: str) -> Config:
    """Validate already parsed settings; *source* names them in errors."""
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        lines = [f"{source}: {explain(Config, dict(e))}" for e in error.errors()]
        raise ConfigError("\n".join(lines)) from error


def schema_text() -> str:
    """The JSON Schema of the file, as config/gateway.schema.json holds it."""
    schema = Config.model_json_schema()
    schema["title"] = "hjemgate: gateway.toml"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
