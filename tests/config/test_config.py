"""The configuration file: what is accepted, and in which words the rest is refused."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Config, ConfigError, load, parse, schema_text

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "config" / "gateway.toml"
SCHEMA = ROOT / "config" / "gateway.schema.json"

COMMENTED_SETTING = re.compile(r"^#(?=[a-z_]+ = )", re.MULTILINE)


def minimal() -> dict[str, Any]:
    return {
        "gateway": {"id": "gw-0123456789", "organisation": "4321"},
        "broker": {"host": "broker", "ca": "/ca", "certificate": "/cert", "key": "/key"},
    }


def changed(key: str, value: object) -> dict[str, Any]:
    data = minimal()
    *parents, last = key.split(".")
    section = data
    for parent in parents:
        section = section.setdefault(parent, {})
    section[last] = value
    return data


def refusal(data: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(data, "gateway.toml")
    return str(caught.value)


def test_the_sample_loads() -> None:
    assert load(SAMPLE).gateway.id == "gw-0123456789"


def test_the_sample_shows_every_setting_with_its_default() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    everything = tomllib.loads(COMMENTED_SETTING.sub("", text))
    shown = {section: set(settings) for section, settings in everything.items()}
    known = {
        name: set(field.annotation.model_fields)  # type: ignore[union-attr]  # all are sections
        for name, field in Config.model_fields.items()
    }
    assert shown == known
    assert parse(everything, "sample") == load(SAMPLE)


def test_the_published_schema_is_current() -> None:
    written = SCHEMA.read_text(encoding="utf-8")
    assert written == schema_text(), "run ./dev schema and commit the file"


def test_every_setting_is_described_in_the_schema_or_named_by_its_pattern() -> None:
    silent = [
        f"{section}.{name}"
        for section, field in Config.model_fields.items()
        for name, setting in field.annotation.model_fields.items()  # type: ignore[union-attr]  # as above
        if not setting.description and name != "id"
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        (
            "broker.windw",
            1,
            "broker.windw: unknown key in section [broker]; did you mean window?",
        ),
        (
            "colour",
            1,
            (
                "colour: unknown key in the top of the file;"
                " known here: broker, clock, commands, fhir, gateway, outbox, radio"
            ),
        ),
        (
            "broker.port",
            "8883",
            (
                'broker.port: expected a whole number without quotes, got "8883";'
                " correct it in section [broker]"
            ),
        ),
        (
            "broker.port",
            0,
            "broker.port: expected 1 or more, got 0; correct it in section [broker]",
        ),
        (
            "radio.links",
            9,
            "radio.links: expected 8 or less, got 9; correct it in section [radio]",
        ),
        (
            "broker.backoff_cap_s",
            float("nan"),
            (
                "broker.backoff_cap_s: expected a finite number, got NaN;"
                " correct it in section [broker]"
            ),
        ),
        (
            "fhir.gate",
            "yes",
            (
                'fhir.gate: expected true or false without quotes, got "yes";'
                " correct it in section [fhir]"
            ),
        ),
        (
            "clock.trust",
            "gps",
            (
                "clock.trust: expected one of 'ntp' or 'assume', got \"gps\";"
                " correct it in section [clock]"
            ),
        ),
        (
            "outbox.key",
            3,
            (
                "outbox.key: expected the path of a file in double quotes, got 3;"
                " correct it in section [outbox]"
            ),
        ),
        (
            "broker.required_receivers",
            "hospital",
            (
                'broker.required_receivers: expected a list: ["one", "two"], got "hospital";'
                " correct it in section [broker]"
            ),
        ),
        (
            "broker.host",
            "",
            'broker.host: expected text that is not empty, got ""; correct it in section [broker]',
        ),
        (
            "gateway.zone",
            "Mars",
            (
                'gateway.zone: expected a time zone such as "Europe/Copenhagen", got "Mars";'
                " correct it in section [gateway]"
            ),
        ),
        (
            "gateway.id",
            "gw-iiiiiiiiii",
            (
                'gateway.id: expected "gw-" and then 10 of 0-9 a-h j k m n p-t v-z,'
                ' got "gw-iiiiiiiiii"; correct it in section [gateway]'
            ),
        ),
        (
            "gateway.organisation",
            "region/north",
            (
                "gateway.organisation: expected 1 to 64 of A-Z a-z 0-9 . _ -,"
                ' got "region/north"; correct it in section [gateway]'
            ),
        ),
        ("radio", "hci0", 'radio: expected a section, got "hci0"; write a line [radio]'),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line(key: str, value: object, line: str) -> None:
    assert refusal(changed(key, value)) == f"gateway.toml: {line}"


def test_a_missing_setting_is_named_with_its_section() -> None:
    data = minimal()
    del data["broker"]["ca"]
    assert refusal(data) == ("gateway.toml: broker.ca: missing; write ca = ... in section [broker]")


def test_a_missing_section_is_named() -> None:
    assert refusal({"gateway": minimal()["gateway"]}) == (
        "gateway.toml: broker: missing; write a line [broker] and its settings below it"
    )


def test_two_faults_are_two_lines() -> None:
    data = changed("broker.port", "x")
    data["fhir"] = {"gates": True}
    assert len(refusal(data).splitlines()) == 2


def test_a_long_value_is_shortened() -> None:
    assert len(refusal(changed("gateway.id", "x" * 5000))) < 250


def test_an_absent_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: no such file; copy config/gateway\.toml"):
        load(tmp_path / "none.toml")


def test_a_folder_in_place_of_the_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_a_line_that_is_not_toml_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text("[gateway]\nid = gw-0123456789\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"not TOML: .*line 2.*; correct that line"):
        load(path)
