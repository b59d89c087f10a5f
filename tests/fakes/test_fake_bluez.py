"""The fake is only worth something if the real bleak cannot tell it from BlueZ."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDBusError, BleakGATTProtocolError
from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

from tests.fakes.bluez import FakeBluez, fake_bluez
from tests.fakes.private_bus import ENVIRONMENT, private_bus

ADDRESS = "C0:11:22:33:44:55"
MEASUREMENT = "2a35"
CUFF: dict[str, Any] = {
    "address": ADDRESS,
    "name": "CUFF-1",
    "services": {
        "1810": {MEASUREMENT: {"flags": ["indicate"]}},
        "180a": {"2a29": {"flags": ["read"], "value": "41636d65"}},
        "1805": {"2a2b": {"flags": ["read", "write"], "value": "ea070b19080000030000"}},
        "180f": {"2a19": {"flags": ["read", "notify"], "value": "5a"}},
    },
}
FRAMES = ["0001", "0002", "0003"]
FOUND_S = 5.0


@pytest.fixture
async def bluez(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeBluez]:
    async with private_bus() as address, fake_bluez(address) as fake:
        monkeypatch.setenv(ENVIRONMENT, address)
        await fake.do("meter", **CUFF)
        yield fake


async def find() -> BLEDevice:
    device = await BleakScanner.find_device_by_address(
        ADDRESS, timeout=FOUND_S, bluez={"adapter": "hci0"}
    )
    assert device is not None
    return device


@asynccontextmanager
async def connected() -> AsyncIterator[BleakClient]:
    async with BleakClient(await find(), bluez={"adapter": "hci0"}) as client:
        yield client


async def indications(client: BleakClient, count: int) -> list[str]:
    queue: asyncio.Queue[str] = asyncio.Queue()
    await client.start_notify(MEASUREMENT, lambda _, octets: queue.put_nowait(octets.hex()))
    async with asyncio.timeout(FOUND_S):
        return [await queue.get() for _ in range(count)]


async def test_a_cuff_is_found_and_indicates_its_readings_in_order(bluez: FakeBluez) -> None:
    await bluez.do("pour", address=ADDRESS, characteristic=MEASUREMENT, frames=FRAMES)
    async with connected() as client:
        assert await indications(client, 3) == FRAMES
    assert (await bluez.event("poured"))["frames"] == 3


async def test_it_is_read_and_written(bluez: FakeBluez) -> None:
    await bluez.do("awake", address=ADDRESS, on=True)
    async with connected() as client:
        assert await client.read_gatt_char("2a29") == b"Acme"
        await client.write_gatt_char("2a2b", b"\x01\x02", response=True)
    assert (await bluez.event("written"))["octets"] == "0102"


async def test_it_comes_back_after_a_disconnect(bluez: FakeBluez) -> None:
    for frame in FRAMES:
        await bluez.do("pour", address=ADDRESS, characteristic=MEASUREMENT, frames=[frame])
        async with connected() as client:
            assert await indications(client, 1) == [frame]
        assert (await bluez.event("disconnected"))["address"] == ADDRESS


async def test_a_meter_that_hangs_up_is_noticed(bluez: FakeBluez) -> None:
    await bluez.do(
        "pour", address=ADDRESS, characteristic=MEASUREMENT, frames=FRAMES, hang_up_s=0.0
    )
    gone = asyncio.Event()
    async with BleakClient(await find(), disconnected_callback=lambda _: gone.set()) as client:
        await client.start_notify(MEASUREMENT, lambda *_: None)
        async with asyncio.timeout(FOUND_S):
            await gone.wait()


async def test_a_listener_of_a_bonded_meter_subscribes_while_it_is_away(bluez: FakeBluez) -> None:
    away = CUFF | {"address": "C0:11:22:33:44:66", "bonded": True, "secured": True}
    await bluez.do("meter", **away)
    listener = await MessageBus(bus_type=BusType.SYSTEM).connect()
    subscribed = await listener.call(
        Message(
            destination="org.bluez",
            path="/org/bluez/hci0/dev_C0_11_22_33_44_66/service0001/char0004",
            interface="org.bluez.GattCharacteristic1",
            member="StartNotify",
        )
    )
    assert subscribed is not None
    assert subscribed.message_type is MessageType.METHOD_RETURN
    await bluez.do("pour", address=away["address"], characteristic=MEASUREMENT, frames=FRAMES)
    device = await BleakScanner.find_device_by_address(away["address"], timeout=FOUND_S)
    assert device is not None
    async with BleakClient(device):
        assert (await bluez.event("poured"))["frames"] == 3
    listener.disconnect()


async def test_a_secured_meter_refuses_until_it_is_paired(bluez: FakeBluez) -> None:
    secured = CUFF | {"secured": True}
    await bluez.do("meter", **secured)
    await bluez.do("awake", address=ADDRESS, on=True)
    async with connected() as client:
        with pytest.raises(BleakGATTProtocolError):
            await client.read_gatt_char("2a29")
        with pytest.raises(BleakDBusError, match="AuthenticationFailed"):
            await client.pair()  # nobody has registered an agent
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        await manage_agents(bus, "RegisterAgent", "os", "/agent", "NoInputNoOutput")
        await manage_agents(bus, "RequestDefaultAgent", "o", "/agent")
        await client.pair()
        assert await client.read_gatt_char("2a29") == b"Acme"
        bus.disconnect()


async def manage_agents(bus: MessageBus, member: str, signature: str, *body: str) -> None:
    answer = await bus.call(
        Message(
            destination="org.bluez",
            path="/org/bluez",
            interface="org.bluez.AgentManager1",
            member=member,
            signature=signature,
            body=list(body),
        )
    )
    assert answer is not None
    assert answer.message_type is MessageType.METHOD_RETURN


async def test_a_scripted_error_comes_once(bluez: FakeBluez) -> None:
    await bluez.do("awake", address=ADDRESS, on=True)
    await bluez.do("fail", method="StartDiscovery", name="InProgress", text="busy")
    with pytest.raises(BleakDBusError, match="InProgress"):
        await find()
    await find()


async def test_services_that_never_resolve_time_the_client_out(bluez: FakeBluez) -> None:
    await bluez.do("awake", address=ADDRESS, on=True)
    await bluez.do("stick", on=True)
    device = await find()
    with pytest.raises(TimeoutError):
        await BleakClient(device, timeout=0.3).connect()


async def test_strangers_are_heard_beside_the_meter(bluez: FakeBluez) -> None:
    await bluez.do("strangers", per_second=200)
    heard: set[str] = set()
    many = asyncio.Event()

    def note(device: BLEDevice, _: object) -> None:
        heard.add(device.address)
        if len(heard) > 20:
            many.set()

    async with BleakScanner(note), asyncio.timeout(FOUND_S):
        await many.wait()


async def test_a_killed_bluetoothd_fails_the_next_call(bluez: FakeBluez) -> None:
    await bluez.do("awake", address=ADDRESS, on=True)
    client = BleakClient(await find())
    await client.connect()
    await bluez.die()
    with pytest.raises(BleakDBusError):
        await client.read_gatt_char("2a29")
