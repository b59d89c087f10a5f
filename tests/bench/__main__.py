"""`./dev bench [--json] [NAME...]`: measure and print a table. Nothing else prints times."""

import argparse
import asyncio
import compileall
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

import drivers
import gateway
from tests.bench import bare, bundle, daemon, drain, fleet, onward, outbox, receive, soak, vm
from tests.bench.rows import Row, as_json, as_table

BENCHMARKS: Mapping[str, Callable[[], Awaitable[Sequence[Row]]]] = {
    "bare-commit": bare.commit,
    "bare-imports": bare.imports,
    "bare-publish": bare.publish,
    "bare-scan": bare.scan,
    "bare-latency": bare.latency,
    "start": daemon.start,
    "memory": daemon.memory,
    "latency": daemon.latency,
    "disk": daemon.disk,
    "scan": daemon.scan,
    "drain": drain.drain,
    "bundle": bundle.bundle,
    "receive": receive.receive,
    "receiver-memory": receive.memory,
    "onward-look": onward.look,
    "million": outbox.million,
    "soak": soak.soak,
    "fleet": fleet.fleet,
    "contact": vm.contact,
}
CONTAINED = {"bare-scan", "bare-latency"}  # measured again beside the gateway
LONG = {"receiver-memory"}  # minutes for two figures


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measure the gateway.")
    parser.add_argument("--json", action="store_true", help="one JSON object a figure")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(BENCHMARKS)}; without a name"
        f" all but {', '.join(sorted(LONG))}, which takes several minutes",
    )
    chosen = parser.parse_args(arguments)
    if unknown := [name for name in chosen.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    # Told to end, it ends what it has started, as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for package in (drivers, gateway):  # as installed: compiling takes time and memory
        compileall.compile_dir(package.__path__[0], quiet=1)
    rows: list[Row] = []
    for name in chosen.names or [name for name in BENCHMARKS if name not in CONTAINED | LONG]:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        found = asyncio.run(_measured(BENCHMARKS[name]))
        rows += found
        if chosen.json:
            print("\n".join(as_json(name, found)), flush=True)
    if not chosen.json:
        print(as_table(rows))
    return 0


async def _measured(benchmark: Callable[[], Awaitable[Sequence[Row]]]) -> Sequence[Row]:
    return await benchmark()


sys.exit(main())
