"""The consumer in Python that docs/contract shows. That in JavaScript: `./dev contract`."""

import sys
from pathlib import Path

from simulator.pki import Authority
from tests.backend import running
from tests.contract.consumers import keeps_the_contract
from tests.contract.published import DIRECTORY


async def test_the_consumer_in_python_keeps_the_contract(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki")
    program = (sys.executable, "-u", str(DIRECTORY / "consumer.py"))
    async with running.broker(tmp_path, authority) as broker:
        await keeps_the_contract(program, broker, authority, tmp_path / "readings.db")


def test_a_consumer_is_fifty_lines() -> None:
    for name in ("consumer.py", "consumer.js"):
        lines = (DIRECTORY / name).read_text().splitlines()
        assert sum(bool(line.strip()) for line in lines) <= 50, name
