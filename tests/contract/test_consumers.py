"""The consumer in Python that docs/contract shows. That in JavaScript: `./dev contract`."""

import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

from simulator.pki import Authority
from tests.backend import running
from tests.contract.consumers import keeps_the_contract
from tests.contract.published import DIRECTORY


async def test_the_consumer_in_python_keeps_the_contract(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki")
    program = (sys.executable, "-u", str(DIRECTORY / "consumer.py"))
    async with running.broker(tmp_path, authority) as broker:
        held = await keeps_the_contract(program, broker, authority, tmp_path / "readings.db")
    with closing(sqlite3.connect(tmp_path / "readings.db")) as store:
        kept = store.execute("SELECT id, version FROM reading").fetchall()
        once = store.execute("SELECT id, version FROM to_hand_on").fetchall()
    assert Counter(kept) == held
    assert sorted(once) == sorted(held)


def test_a_consumer_is_about_fifty_lines() -> None:
    for name in ("consumer.py", "consumer.js"):
        lines = [line.strip() for line in (DIRECTORY / name).read_text().splitlines()]
        code = [line for line in lines if line and not line.startswith(("#", "//", "--"))]
        assert len(code) <= 55, name
