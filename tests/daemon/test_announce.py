"""A gateway tells the backend what it and its meters are, by its own messages; nothing is faked."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from gateway import announce, daemon
from tests.daemon.scene import GATEWAY, Scene

SOON_S = 0.2
RECEIVED = "SELECT count(*) FROM announcements WHERE state = 'received'"
NEWEST = "SELECT seq, state FROM announcements ORDER BY seq DESC LIMIT 1"


def devices(scene: Scene) -> list[dict[str, Any]]:
    """What the receiver was told, in that order."""
    with closing(sqlite3.connect(scene.receiving.store)) as store:
        rows = store.execute(
            "SELECT body FROM reading WHERE contents LIKE 'device %' ORDER BY number"
        ).fetchall()
    return [json.loads(body)["entry"][0]["resource"] for (body,) in rows]


async def test_devices_are_told_and_new_software_is(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announce, "LOOK_S", SOON_S)
    await scene.broker.start()
    async with scene.receiver():
        async with scene.gateway() as gateway:
            await scene.add(scene.home.thermometer)
            scene.home.thermometer.measure()
            await gateway.until_states(received=1)
            await gateway.until(RECEIVED, [(2,)])
        monkeypatch.setattr(daemon, "VERSION", "99.1")
        async with scene.gateway() as gateway:
            await gateway.until(NEWEST, [(4, "received")])
    box, meter, newer = devices(scene)
    assert (box["serialNumber"], newer["serialNumber"]) == (GATEWAY, GATEWAY)
    assert "PhdDevice" in meter["meta"]["profile"][0]
    assert newer["version"][-1]["value"] == "99.1"
    assert box["identifier"] == newer["identifier"]
