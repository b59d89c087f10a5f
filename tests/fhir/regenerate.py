"""Writes the golden files anew: python -m tests.fhir.regenerate

Read the difference before it is committed: it is what receivers will see.
"""

import json
import re
from pathlib import Path

from gateway.fhir import render
from tests.fhir.records import CASES

GOLDEN = Path(__file__).parent / "golden"


def readable(body: bytes) -> str:
    """The same document, indented, every number in the digits that it had."""
    marked = json.loads(body, parse_float=lambda digits: f"#{digits}#")
    text = json.dumps(marked, indent=1, ensure_ascii=False)
    return re.sub(r'"#([-0-9.]+)#"', r"\1", text) + "\n"


def main() -> None:
    for stale in GOLDEN.glob("*.json"):
        stale.unlink()
    for name, record in CASES.items():
        (GOLDEN / f"{name}.json").write_text(readable(render(record)), encoding="utf-8")


if __name__ == "__main__":
    main()
