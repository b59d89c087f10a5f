"""python -m gateway.contract DIRECTORY: write asyncapi.json and schema/ there."""

import json
import sys
from pathlib import Path
from typing import Any

from gateway.contract.asyncapi import asyncapi
from gateway.contract.schema import schemas


def write(directory: Path) -> None:
    (directory / "schema").mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        _write(directory / "schema" / f"{name}.json", schema)
    _write(directory / "asyncapi.json", asyncapi())


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m gateway.contract DIRECTORY")
    write(Path(sys.argv[1]))
