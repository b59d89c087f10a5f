"""A reference receiver: stores each reading, then says so to the gateway that sent it.

The order is the promise: commit, receipt, acknowledgement. Whatever fails in between makes the
broker or the gateway send the reading again, and it is answered as a duplicate.
"""

import argparse
import asyncio
import logging
import random
import signal
import ssl
import sys
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import aiomqtt

from backend.arrival import Arrival, judge
from backend.link import Link
from backend.store import Delivery, Store, Verdict
from gateway import contract
from gateway.contract import Receipt, Receipts, Topics

log = logging.getLogger("hjemgate.receiver")

BATCH = 100  # one commit for as many as have arrived together; one message holds their receipts
EX_CONFIG = 78


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to listen, and where to keep what is heard."""

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path
    store: Path
    organisation: str
    by: str
    share: str | None = None
    export: Path | None = None
    reconnect_cap_s: float = 60.0


class Receiver:
    """Use `run` for ever, or until cancelled."""

    def __init__(self, settings: Settings, store: Store, tls: ssl.SSLContext) -> None:
        self._settings, self._store, self._tls = settings, store, tls
        self._disk = ThreadPoolExecutor(1, "disk")  # SQLite has one thread of its own

    def close(self) -> None:
        """Finish the commit that is under way, then close the store."""
        self._disk.shutdown()
        self._store.close()

    async def run(self) -> NoReturn:
        """Connect, and again whenever the broker goes away."""
        failures = 0
        while True:
            try:
                async with Link(self._settings, self._tls) as link:
                    await link.listen(
                        contract.all_observations(self._settings.organisation, self._settings.share)
                    )
                    log.info("listening")
                    failures = 0
                    while True:
                        await self._take(link, await link.arrived(BATCH))
            except aiomqtt.MqttError as error:
                bound = min(self._settings.reconnect_cap_s, 0.5 * 2**failures)
                failures = min(failures + 1, 30)
                delay = random.uniform(0.0, bound)  # noqa: S311  # jitter, not a secret
                log.warning("broker: %s; trying again in %.1f s", error, delay)
                await asyncio.sleep(delay)

    async def _take(self, link: Link, messages: Sequence[aiomqtt.Message]) -> None:
        arrivals = [
            judge(str(message.topic), bytes(message.payload), link.user_properties(message))
            for message in messages
        ]
        now = datetime.now(UTC)
        loop = asyncio.get_running_loop()
        verdicts = await loop.run_in_executor(self._disk, self._keep, arrivals, now)
        await self._answer(link, list(zip(arrivals, verdicts, strict=True)), now)
        for message in messages:
            link.acknowledge(message)

    def _keep(self, arrivals: Sequence[Arrival], now: datetime) -> list[Verdict]:
        verdicts = self._store.keep([arrival.message for arrival in arrivals], now)
        if self._settings.export is not None:
            for arrival, verdict in zip(arrivals, verdicts, strict=True):
                if verdict.status != "rejected" and isinstance(arrival.message, Delivery):
                    _export(self._settings.export, arrival.message)
        return verdicts

    async def _answer(
        self, link: Link, judged: Sequence[tuple[Arrival, Verdict]], now: datetime
    ) -> None:
        answers: defaultdict[Topics, list[Receipt]] = defaultdict(list)
        for arrival, verdict in judged:
            if verdict.status == "rejected":
                log.warning("rejected, from %s: %s", arrival.sender, verdict.reason)
            else:
                log.info("%s, from %s", verdict.status, arrival.sender)
            receipt = arrival.receipt(verdict, self._settings.by, now)
            if arrival.topics is not None and receipt is not None:
                answers[arrival.topics].append(receipt)
        for topics, receipts in answers.items():
            await link.publish_receipts(topics, Receipts(receipts=tuple(receipts)))


def _export(directory: Path, delivery: Delivery) -> None:
    """One file a Bundle, whole or not at all."""
    path = directory / f"{delivery.id}-v{delivery.version}.json"
    if path.exists():
        return
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(delivery.body)
    unfinished.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `hjemgate-receiver`."""
    settings = _settings(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        tls = _context(settings)
        if settings.export is not None:
            settings.export.mkdir(parents=True, exist_ok=True)
        store = Store(settings.store)
    except (OSError, ssl.SSLError) as error:
        print(f"hjemgate-receiver: {error}", file=sys.stderr)
        return EX_CONFIG
    receiver = Receiver(settings, store, tls)
    try:
        asyncio.run(_until_told(receiver))
    finally:
        receiver.close()
    return 0


async def _until_told(receiver: Receiver) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(receiver.run(), name="receiver")
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, running.cancel)


def _context(settings: Settings) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.load_verify_locations(settings.ca)
    tls.load_cert_chain(settings.certificate, settings.key, password="")
    return tls


def _settings(arguments: Sequence[str] | None) -> Settings:
    parser = argparse.ArgumentParser(
        prog="hjemgate-receiver",
        description="Stores the readings of an organisation's gateways and sends receipts.",
    )
    parser.add_argument("--host", required=True, help="the MQTT 5 broker")
    parser.add_argument("--port", type=int, default=8883)
    parser.add_argument("--ca", type=Path, required=True, help="PEM: who signed the broker")
    parser.add_argument("--cert", type=Path, required=True, dest="certificate", help="PEM: ours")
    parser.add_argument("--key", type=Path, required=True, help="PEM: the key to it")
    parser.add_argument("--store", type=Path, required=True, help="the SQLite file")
    parser.add_argument("--org", required=True, dest="organisation", help="as in the topics")
    parser.add_argument("--by", default="receiver-1", help="our name in receipts and at the broker")
    parser.add_argument("--share", help="share the work with receivers that name the same group")
    parser.add_argument("--export", type=Path, metavar="DIR", help="write each Bundle as a file")
    parser.add_argument(
        "--reconnect-cap", type=float, default=60.0, dest="reconnect_cap_s", metavar="SECONDS"
    )
    return Settings(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
