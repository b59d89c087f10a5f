"""`hjemgate run`: one TaskGroup. Collect and deliver know nothing of each other; the rows do.

An expected failure is handled where it happens; an unexpected one ends the process, and systemd
starts it again.
"""

import asyncio
import logging
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from drivers.registry import all_drivers
from gateway import network_time
from gateway.announce import Announce
from gateway.backoff import Backoff
from gateway.clock import OurClock
from gateway.collect import Collect
from gateway.config import Config
from gateway.contract import Topics
from gateway.control import Control
from gateway.deliver import Deliver, Duty, offline
from gateway.door import Door
from gateway.first_try import clock_is_plausible
from gateway.fleet_key import verifier
from gateway.health import Health
from gateway.live import Live
from gateway.model import GatewayInfo
from gateway.notify import notify, watchdog_s
from gateway.onlookers import Onlookers
from gateway.orders import Orders
from gateway.outbox import quota
from gateway.outbox.delivery import Resend
from gateway.outbox.facts import started
from gateway.outbox.store import Store, open_store
from gateway.pairing_window import Windows
from gateway.process import Process
from gateway.radio import Radio
from gateway.terms import Terms
from gateway.uplink import Uplink

log = logging.getLogger(__name__)

GOODBYE_S = 4.5  # SIGTERM to the end at the latest; what is committed stays
HOUSEKEEPING_S = 300.0
RESTART_FILE = "restart-bluetooth"  # packaging/hjemgate-bluetooth-restart.path waits for it
VERSION = version("hjemgate")


def run(config: Config) -> int:
    """Until SIGTERM or SIGINT. Raises outbox.store.Unusable and radio.RadioError before it has
    begun anything.
    """
    quota_octets = config.outbox.quota_mib << 20
    store = open_store(config.gateway.state_dir, config.outbox.key, quota_octets)
    try:
        asyncio.run(_until_told(config, store))
    finally:
        store.close()
    log.info("ended")
    return 0


async def _until_told(config: Config, store: Store) -> None:
    loop = asyncio.get_running_loop()
    living = loop.create_task(house(config, store), name="house")

    def end(number: signal.Signals) -> None:
        log.info("%s: ending", number.name)
        notify("STOPPING=1")
        hard = threading.Timer(GOODBYE_S, os._exit, (0,))
        hard.daemon = True
        hard.start()
        living.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, number)
    try:
        await living
    except asyncio.CancelledError:
        return


async def house(config: Config, store: Store) -> None:
    """Build every room and let them work, until cancelled."""
    drivers = all_drivers()
    ours = OurClock(config.clock.trust, config.gateway.zone)
    live = Live(datetime.now(UTC))
    topics = Topics(config.gateway.organisation, config.gateway.id)
    radio = Radio(
        config.radio.backend,
        config.radio.adapter,
        config.gateway.state_dir,
        links=config.radio.links,
        restart_file=config.gateway.socket.with_name(RESTART_FILE),
    )
    live.radio.counters = radio.counters
    health = Health(store, ours, config, live)
    door = Door(Windows(radio.expect), Onlookers(drivers), radio.forget)
    collect = Collect(store, radio, drivers, ours, live.radio, door.windows, door.onlookers)
    control = Control(
        config.gateway.socket, store, drivers, ours, config, health, collect.refresh, door
    )
    terms = _terms(config, ours)
    process = Process(store, drivers, ours, terms)
    announce = Announce(store, drivers, ours, terms)
    deliver = Deliver(
        store,
        Uplink(config.broker, config.gateway.id, lambda: offline(topics, VERSION, ours.utc())),
        _duty(config, topics),
        health,
        ours,
        live.uplink,
        Backoff(config.broker.backoff_cap_s),
        _orders(config, store, ours, topics, live).obey,
    )
    async with radio, asyncio.TaskGroup() as group:
        group.create_task(control.serve(), name="control")
        await control.ready()  # a gateway that runs already is found before its rows are touched
        store.post(started)  # not waited for: a full disk forbids no start
        group.create_task(collect.run(), name="collect")
        group.create_task(door.windows.run(), name="pairing windows")
        group.create_task(process.run(), name="process")
        group.create_task(announce.run(), name="announce")
        group.create_task(network_time.watch(ours), name="network time")
        group.create_task(_deliver(config, ours, live, deliver), name="deliver")
        group.create_task(_keep_house(config, store, ours), name="housekeeping")
        group.create_task(_watchdog(), name="watchdog")
        notify("READY=1")
        log.info("%s is ready", config.gateway.id)


async def _deliver(config: Config, ours: OurClock, live: Live, deliver: Deliver) -> None:
    await clock_is_plausible(ours, config.broker.certificate, live.uplink)
    await deliver.run()


def _terms(config: Config, ours: OurClock) -> Terms:
    info = GatewayInfo(config.gateway.id, VERSION, ours.source)
    return Terms(info, ours.zone, config.fhir.simulated, config.fhir.gate)


def _duty(config: Config, topics: Topics) -> Duty:
    broker = config.broker
    resend = Resend(timedelta(seconds=broker.resend_s), timedelta(seconds=broker.resend_cap_s))
    return Duty(topics, resend, broker.receipts, broker.required_receivers, broker.window)


def _orders(config: Config, store: Store, ours: OurClock, topics: Topics, live: Live) -> Orders:
    verify = verifier(config.commands.fleet_key) if config.commands.obey else None
    numbers = config.gateway.state_dir / "commands.json"
    return Orders(store, ours, topics, live.uplink, verify, numbers)


async def _keep_house(config: Config, store: Store, ours: OurClock) -> None:
    """Purge what the receiver has held for long enough, or at once where room is short."""
    keep = timedelta(days=config.outbox.keep_days)
    while True:
        while await store(quota.tidy, keep, ours.utc()):
            pass
        await asyncio.sleep(HOUSEKEEPING_S)


async def _watchdog() -> None:
    """Tell systemd that the loop turns."""
    period = watchdog_s()
    while period is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(period / 3)
