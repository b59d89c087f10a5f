"""python -m gateway.contract DIRECTORY: write the JSON Schemas there."""

import json
import sys
from pathlib import Path

from gateway.contract.schema import schemas


def write(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (directory / f"{name}.json").write_text(json.dumps(schema, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m gateway.contract DIRECTORY")
    write(Path(sys.argv[1]))
