"""Bare script: what each import of the daemon takes, in the order in which it imports them.

Prints one JSON object a line: module, milliseconds, MiB that the resident memory grew by.
"""

import importlib
import json
import os
import time

from tests.bench.proc import rss_mib

MODULES = (
    "asyncio",
    "sqlite3",
    "ssl",
    "pydantic",
    "cryptography.hazmat.primitives.ciphers.aead",
    "dbus_fast.aio",
    "bleak",
    "bleak_retry_connector",
    "paho.mqtt.client",
    "aiomqtt",
    "gateway.config",
    "gateway.contract",
    "fhir.resources.R4B.bundle",
    "fhir.resources.R4B.observation",
    "fhir.resources.R4B.device",
)


def main() -> None:
    pid = os.getpid()
    print(json.dumps({"module": "(python)", "ms": 0, "mib": rss_mib(pid)}))
    for module in MODULES:
        memory, started = rss_mib(pid), time.perf_counter()
        importlib.import_module(module)
        spent = time.perf_counter() - started
        print(json.dumps({"module": module, "ms": spent * 1000, "mib": rss_mib(pid) - memory}))


main()
