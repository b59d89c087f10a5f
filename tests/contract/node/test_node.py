"""docs/contract from the side of JavaScript; run by `./dev contract`, which brings the packages."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway.contract import Topics
from gateway.contract.asyncapi import asyncapi
from simulator.pki import Authority
from tests.backend import running
from tests.contract.consumers import keeps_the_contract
from tests.contract.published import DIRECTORY

HERE = Path(__file__).parent
TOPICS = Topics("{organisation}", "{gateway}")


def parsed(file: Path) -> tuple[int, list[str]]:
    """The exit code of AsyncAPI's own parser, and what it says."""
    done = subprocess.run(
        ["node", str(HERE / "parse.mjs"), str(file)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.splitlines()


def test_asyncapi_s_own_parser_reads_the_document() -> None:
    code, said = parsed(DIRECTORY / "asyncapi.json")
    # 3.0 is what most tools read; nothing of 3.1 is needed.
    said = [line for line in said if not line.startswith("asyncapi-latest-version")]
    assert (code, sorted(said)) == (
        0,
        sorted(
            [
                f"send {TOPICS.observation}",
                f"send {TOPICS.status}",
                f"send {TOPICS.reply}",
                f"receive {TOPICS.receipt}",
                f"receive {TOPICS.command} -> {TOPICS.reply}",
            ]
        ),
    )


def without_address(document: dict[str, Any]) -> None:
    document["channels"]["receipt"]["address"] = 5


def with_an_unknown_channel(document: dict[str, Any]) -> None:
    document["operations"]["receipt"]["channel"]["$ref"] = "#/channels/other"


def with_a_schema_that_is_not_there(document: dict[str, Any]) -> None:
    message = document["channels"]["receipt"]["messages"]["receipt"]
    message["payload"]["$ref"] = "./schema/other.json"


def with_an_unknown_action(document: dict[str, Any]) -> None:
    document["operations"]["receipt"]["action"] = "shout"


def with_a_reply_on_an_unknown_channel(document: dict[str, Any]) -> None:
    document["operations"]["command"]["reply"]["channel"]["$ref"] = "#/channels/other"


def with_an_expiry_that_is_none(document: dict[str, Any]) -> None:
    document["operations"]["observation"]["bindings"]["mqtt"]["messageExpiryInterval"] = "soon"


def with_a_will_of_another_quality(document: dict[str, Any]) -> None:
    document["servers"]["broker"]["bindings"]["mqtt"]["lastWill"]["qos"] = 3


@pytest.mark.parametrize(
    "broken",
    [
        with_a_reply_on_an_unknown_channel,
        with_an_expiry_that_is_none,
        with_a_will_of_another_quality,
        without_address,
        with_an_unknown_channel,
        with_a_schema_that_is_not_there,
        with_an_unknown_action,
    ],
)
def test_it_refuses_a_broken_document(broken: Any, tmp_path: Path) -> None:
    document = asyncapi()
    broken(document)
    (tmp_path / "schema").symlink_to(DIRECTORY / "schema")
    (tmp_path / "asyncapi.json").write_text(json.dumps(document))
    assert parsed(tmp_path / "asyncapi.json")[0] == 1


async def test_the_consumer_in_javascript_keeps_the_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_PATH", os.fspath(HERE / "node_modules"))
    authority = Authority(tmp_path / "pki")
    program = ("node", str(DIRECTORY / "consumer.js"))
    async with running.broker(tmp_path, authority) as broker:
        held = await keeps_the_contract(program, broker, authority, tmp_path / "readings")
    folders = (tmp_path / "readings").iterdir()  # one for each to hand on
    kept = {folder.name: sum(1 for _ in folder.iterdir()) for folder in folders}
    assert kept == {f"{name}-v{version}": times for (name, version), times in held.items()}
