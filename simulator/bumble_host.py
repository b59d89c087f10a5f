"""A Bumble host on somebody's HCI socket: the virtual gateway's half of Bluetooth."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bleak.exc import BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode
from bumble import att, core, hci
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.keys import JsonKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport
from bumble.transport.common import Transport

Passkey = Callable[[], Awaitable[int | None]]

OPEN_S = 5.0  # a socket on this machine, and thirty short commands
SCHEMES = ("unix:", "unix-client:", "tcp-client:")

# No identity keys: with them Bumble would wait for a resolvable address to reconnect to.
KEYS = PairingDelegate.KeyDistribution.DISTRIBUTE_ENCRYPTION_KEY
PRIVATE_KEYS = KEYS | PairingDelegate.KeyDistribution.DISTRIBUTE_IDENTITY_KEY


def just_works(keys: PairingDelegate.KeyDistribution = KEYS) -> PairingConfig:
    """LE Secure Connections without anything to look at or to type."""
    return PairingConfig(
        sc=True,
        mitm=False,
        bonding=True,
        delegate=PairingDelegate(PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT, keys, keys),
        identity_address_type=PairingConfig.AddressType.RANDOM,
    )


class _Display(PairingDelegate):
    """A meter's: six digits, and nothing to type with."""

    def __init__(self, passkey: int) -> None:
        super().__init__(PairingDelegate.IoCapability.DISPLAY_OUTPUT_ONLY, KEYS, KEYS)
        self._passkey = passkey

    async def generate_passkey(self) -> int:
        return self._passkey


class _Keypad(PairingDelegate):
    """The gateway's, while somebody is there to type."""

    def __init__(self, passkey: Passkey) -> None:
        super().__init__(PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT, KEYS, KEYS)
        self._passkey = passkey

    async def get_number(self) -> int | None:
        return await self._passkey()

    async def compare_numbers(self, number: int, digits: int) -> bool:
        del digits
        return await self._passkey() == number


def display(passkey: int) -> PairingConfig:
    """LE Secure Connections by a passkey that this side shows."""
    return PairingConfig(sc=True, mitm=True, bonding=True, delegate=_Display(passkey))


def keypad(passkey: Passkey) -> PairingConfig:
    """LE Secure Connections by a passkey that is typed on this side, where the other shows one."""
    return PairingConfig(sc=True, mitm=True, bonding=True, delegate=_Keypad(passkey))


def cancellations() -> int:
    """How often the present task was asked to end."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


@contextmanager
def bleak_errors() -> Iterator[None]:
    """Bumble's errors as bleak raises them.

    Bumble cancels what waits when a link is lost: that is told from our own cancellation by
    asking whether anybody cancelled this task. And it waits by `asyncio.wait_for`, which before
    Python 3.12 swallows a cancellation that comes together with the answer.
    """
    before = cancellations()
    try:
        yield
    except att.ATT_Error as error:
        raise BleakGATTProtocolError(BleakGATTProtocolErrorCode(error.error_code)) from error
    except (core.BaseBumbleError, OSError) as error:
        raise BleakError(f"{type(error).__name__}: {error}") from error
    except asyncio.CancelledError as error:
        if cancellations() > before:
            raise
        raise BleakError("the link was lost") from error
    if cancellations() > before:
        raise asyncio.CancelledError


class VirtualAdapter:
    """One Bumble device on the HCI transport *name*; opened when needed, again after a loss."""

    def __init__(self, name: str, state_dir: Path) -> None:
        if not name.startswith(SCHEMES):
            raise ValueError(
                f'"{name}" names no HCI socket; write "unix:" and the path that the simulator'
                ' printed, or "tcp-client:host:port"'
            )
        self._name = name
        self._keys = state_dir / "virtual-radio-keys.json"
        self._address = _own_address(state_dir / "virtual-radio-address")
        self._opening = asyncio.Lock()
        self._transport: Transport | None = None
        self._device: Device | None = None
        self.passkeys: dict[str, Passkey] = {}  # by address: who is there to type while we pair

    @property
    def alive(self) -> bool:
        return self._transport is not None and not self._transport.source.terminated.done()

    async def device(self) -> Device:
        """The powered device. Raises BleakError while nobody serves the socket."""
        async with self._opening:
            with bleak_errors():
                if self._device is None or not self.alive:
                    await self.close()
                    async with asyncio.timeout(OPEN_S):
                        self._device = await self._open()
            return self._device

    async def close(self) -> None:
        transport, self._transport, self._device = self._transport, None, None
        if transport is not None:
            await transport.close()

    async def _open(self) -> Device:
        self._transport = await open_transport(self._name)
        config = DeviceConfiguration(
            name="gateway", address=hci.Address(self._address), classic_smp_enabled=False
        )
        device = Device.from_config_with_hci(config, self._transport.source, self._transport.sink)
        device.keystore = JsonKeyStore(self._address, str(self._keys))
        device.pairing_config_factory = self._pairing
        # The scanner listens to the host itself: Bumble's way parses each advertisement thrice.
        device.host.remove_listener("advertising_report", device.on_advertising_report)
        await device.power_on()
        return device

    def _pairing(self, connection: Connection) -> PairingConfig:
        passkey = self.passkeys.get(str(connection.peer_address))
        return just_works() if passkey is None else keypad(passkey)


def _own_address(kept: Path) -> str:
    """A random static address, the same after a restart: the meters' bonds hang on it."""
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        octets = bytearray(secrets.token_bytes(6))
        octets[0] |= 0xC0  # Core Vol 6 Part B 1.3.2.1: the two top bits of a static address
        kept.write_text(":".join(f"{octet:02X}" for octet in octets), encoding="ascii")
    return kept.read_text(encoding="ascii").strip()


logging.getLogger("bumble").setLevel(logging.ERROR)  # every late packet is a warning to it
