"""A region, a municipality and a practice each get what is theirs, and nothing else."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from backend import onward_parties
from backend.fhir_server import FhirServer
from backend.onward import TryAgain, Undeliverable
from backend.onward_access import Token
from backend.onward_http import Rest, Web
from backend.onward_kinds import KINDS, OTHER, kind_of, only
from backend.onward_parties import Filter, Parties, Party
from backend.store import ToHandOn
from drivers.api import Kind
from gateway.fhir import render
from gateway.fhir.codes import CODES, NEVER_PUBLISHED, PANEL_KINDS
from tests.fhir.records import CASES
from tests.fut.fhir_standin import Server, running
from tests.fut.scene import Disk, to_hand_on

REGION, MUNICIPALITY, PRACTICE, STRANGER = "325421000016001", "1104211000016002", "yder-1", "nobody"
DIRECTORY = {
    REGION: {"region": "1081"},
    MUNICIPALITY: {"municipality": "0851", "region": "1081", "cvr": "29189420", "kle": "29.18"},
}
NAMES = ("region", "municipality", "practice")


def where(**columns: str) -> dict[str, frozenset[str]]:
    return {column: frozenset({value}) for column, value in columns.items()}


FILTERS = {
    "region": Filter(where(organisation=REGION)),
    "municipality": Filter(where(municipality="0851"), frozenset({"weight", "blood-pressure"})),
    "practice": Filter(where(organisation=PRACTICE), frozenset({"glucose"})),
}


def of(organisation: str, what: str, number: int) -> ToHandOn:
    return replace(to_hand_on(what), organisation=organisation, id=UUID(int=number))


@dataclass
class Scene:
    """Three servers that know their own token alone, and a receiver in front of them."""

    parties: Parties
    servers: dict[str, Server] = field(default_factory=dict)

    def got(self) -> dict[str, int]:
        return {name: len(server.bodies) for name, server in self.servers.items()}


@pytest.fixture
def disk(tmp_path: Path) -> Any:
    opened = Disk(tmp_path / "store.db")
    yield opened
    opened.database.close()


@pytest.fixture
async def scene(disk: Disk) -> AsyncIterator[Scene]:
    onward_parties.prepare(disk.database)
    with ExitStack() as started:
        servers = {
            name: started.enter_context(running(Server(token=f"of-{name}"))) for name in NAMES
        }
        async with AsyncExitStack() as stack:
            parties = []
            for name, server in servers.items():
                web = await stack.enter_async_context(Web(rest=Rest(first_s=0)))
                access = Token(web, f"{server.base}/token", {"client_id": name})
                parties.append(Party(name, FILTERS[name], FhirServer(web, access, server.base)))
            yield Scene(Parties(parties, DIRECTORY, disk), servers)


async def test_three_parties_and_no_leak(scene: Scene) -> None:
    for number, (organisation, what) in enumerate(
        [
            (REGION, "blood-pressure"),
            (REGION, "glucose"),
            (MUNICIPALITY, "weight"),
            (PRACTICE, "glucose"),
            (MUNICIPALITY, "blood-pressure"),
        ]
    ):
        await scene.parties.hand_on(of(organisation, what, number))
    assert scene.got() == {"region": 2, "municipality": 2, "practice": 1}
    assert {form["client_id"] for form in scene.servers["practice"].forms} == {"practice"}
    codes = {name: codes_of(server) for name, server in scene.servers.items()}
    assert codes["practice"] <= {"67975", "160188", "8417844"}
    assert codes["municipality"] & codes["practice"] == {"67975"}


def codes_of(server: Server) -> set[str]:
    bundles = [json.loads(body) for body in server.bodies]
    return {
        entry["resource"]["code"]["coding"][0]["code"]
        for bundle in bundles
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Observation"
    }


@pytest.mark.parametrize(
    ("organisation", "what"),
    [(STRANGER, "weight"), (PRACTICE, "weight"), (MUNICIPALITY, "glucose"), ("", "weight")],
)
async def test_what_is_nobodys_goes_to_nobody_and_that_is_said(
    scene: Scene, organisation: str, what: str
) -> None:
    with pytest.raises(Undeliverable, match="no party is set up for it"):
        await scene.parties.hand_on(of(organisation, what, 1))
    assert set(scene.got().values()) == {0}


@pytest.fixture
def shared(scene: Scene) -> Scene:
    """Region and practice both want the readings of one organisation."""
    both = Filter(where(organisation=REGION))
    parties = [replace(p, filter=both) for p in scene.parties.parties if p.name != "municipality"]
    return Scene(replace(scene.parties, parties=parties), scene.servers)


async def test_a_party_that_is_away_gets_its_own_later_and_the_other_only_once(
    shared: Scene,
) -> None:
    shared.servers["practice"].trouble = [503]
    reading = of(REGION, "weight", 1)
    with pytest.raises(TryAgain, match="practice: it answers 503"):
        await shared.parties.hand_on(reading)
    await shared.parties.hand_on(reading)
    assert shared.got() == {"region": 1, "municipality": 0, "practice": 2}


async def test_a_refusal_of_one_is_told_and_does_not_touch_the_other(shared: Scene) -> None:
    shared.servers["region"].trouble = [422]
    reading = of(REGION, "weight", 1)
    with pytest.raises(Undeliverable, match="region: it answers 422"):
        await shared.parties.hand_on(reading)
    assert len(shared.servers["practice"].held) > 0


async def test_what_came_to_its_end_can_be_tried_again_where_it_was_refused(shared: Scene) -> None:
    shared.servers["region"].trouble = [422]
    reading = of(REGION, "weight", 1)
    with pytest.raises(Undeliverable):
        await shared.parties.hand_on(reading)
    await shared.parties.hand_on(reading)
    assert shared.got() == {"region": 2, "municipality": 0, "practice": 1}


async def test_a_reason_fits_into_a_receipt(disk: Disk) -> None:
    class Talker:
        async def hand_on(self, reading: ToHandOn) -> None:
            raise Undeliverable(f"{reading.organisation} " * 1000)

    onward_parties.prepare(disk.database)
    one = Party("one", Filter(where(organisation=REGION)), Talker())
    with pytest.raises(Undeliverable) as refused:
        await Parties([one], {}, disk).hand_on(of(REGION, "weight", 1))
    assert len(str(refused.value)) <= 500


def test_without_a_condition_nothing_is_theirs() -> None:
    assert Filter({}).part(of(REGION, "weight", 1), DIRECTORY) is None


def test_every_condition_must_hold() -> None:
    reading = of(MUNICIPALITY, "weight", 1)
    assert Filter(where(region="1081", kle="29.18")).part(reading, DIRECTORY) == reading.body
    assert Filter(where(region="1081", kle="27.00")).part(reading, DIRECTORY) is None
    assert Filter(where(kombit="")).part(reading, DIRECTORY) is None


@pytest.mark.parametrize("what", sorted(CASES))
def test_each_kind_is_told_from_the_others_and_keeps_its_octets(what: str) -> None:
    body = render(CASES[what])
    (kind,) = (each for each in KINDS if only(body, {each}) is not None)
    assert what.startswith({"oxygen": "oximetry"}.get(kind, kind))
    assert kind != OTHER
    assert only(body, {kind}) == body
    assert only(body, set(KINDS) - {kind}) is None


def test_no_code_of_a_gateway_is_of_no_kind() -> None:
    """A new kind of measurement must be given to somebody before it is sent."""
    parts = (*PANEL_KINDS, *NEVER_PUBLISHED)
    observed = {kind.value for kind in Kind if kind not in parts} | {"blood-pressure"}
    codes = {of: each.mdc for of, each in CODES.items() if of.partition("/")[0] in observed}
    assert len(codes) > 20
    assert [of for of, code in codes.items() if kind_of(code) == OTHER] == []


def test_a_bundle_of_two_kinds_is_cut_and_its_numbers_stay_as_they_were() -> None:
    pressure, weight = (json.loads(render(CASES[what])) for what in ("blood-pressure", "weight"))
    raw = render(CASES["weight"])
    assert b'"value":177.0' in raw
    from backend.onward_json import octets, parsed  # noqa: PLC0415 -- for this alone

    both = {**pressure, "entry": [*pressure["entry"], *parsed(raw)["entry"]]}
    cut = only(octets(both), {"weight"})
    assert cut is not None
    assert b'"value":177.0' in cut
    assert b"150020" not in cut
    assert b"149546" not in cut
    assert len(json.loads(cut)["entry"]) == len(weight["entry"]) + 3  # its Devices and clocks
