"""A region, a municipality and a practice each get what is theirs, and nothing else."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from backend.fhir_server import FhirServer
from backend.onward import Party, Undeliverable
from backend.onward_access import Token
from backend.onward_http import Rest, Web
from backend.onward_kinds import KINDS, OTHER, kind_of, only
from backend.onward_parties import Filter
from backend.store import ToHandOn, onward, parties
from drivers.api import Kind
from gateway.fhir import render
from gateway.fhir.codes import CODES, NEVER_PUBLISHED, PANEL_KINDS
from tests.fhir.records import CASES
from tests.fut.fhir_standin import Server, running
from tests.fut.queue import handed_on, handing, keep, outcomes, until, waiting
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


def of(organisation: str, what: str, number: int, **more: Any) -> ToHandOn:
    found = replace(to_hand_on(what), organisation=organisation, id=UUID(int=number))
    return replace(found, position=number, **more)


def part(filter_: Filter) -> Callable[[ToHandOn], bytes | None]:
    return lambda reading: filter_.part(reading, DIRECTORY)


@dataclass
class Scene:
    """Three servers that know their own token alone, and a receiver in front of them."""

    parties: list[Party]
    servers: dict[str, Server]
    disk: Disk

    def got(self) -> dict[str, int]:
        return {name: len(server.bodies) for name, server in self.servers.items()}

    async def hand_on(self, *readings: ToHandOn) -> list[tuple[str, str | None]]:
        return await handed_on(self.disk, self.parties, *readings)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.onward.FIRST_S", 0.01)
    monkeypatch.setattr("backend.onward.CAP_S", 0.02)


@pytest.fixture
async def scene(disk: Disk) -> AsyncIterator[Scene]:
    with ExitStack() as started:
        servers = {
            name: started.enter_context(running(Server(token=f"of-{name}"))) for name in NAMES
        }
        async with AsyncExitStack() as stack:
            parties = []
            for name, server in servers.items():
                web = await stack.enter_async_context(Web(rest=Rest(first_s=0)))
                access = Token(web, f"{server.base}/token", {"client_id": name})
                target = FhirServer(web, access, server.base)
                parties.append(Party(name, target, part(FILTERS[name])))
            yield Scene(parties, servers, disk)


async def test_three_parties_and_no_leak(scene: Scene) -> None:
    told = await scene.hand_on(
        of(REGION, "blood-pressure", 1),
        of(REGION, "glucose", 2),
        of(MUNICIPALITY, "weight", 3),
        of(PRACTICE, "glucose", 4),
        of(MUNICIPALITY, "blood-pressure", 5),
    )
    assert told == [("delivered", None)] * 5
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
    told = await scene.hand_on(of(organisation, what, 1))
    assert told == [("undeliverable", f"no party is set up for it (organisation {organisation})")]
    assert set(scene.got().values()) == {0}


async def test_what_was_nobodys_goes_to_a_party_that_is_set_up_for_it_later(scene: Scene) -> None:
    await scene.hand_on(of(REGION, "weight", 1), of(STRANGER, "weight", 2))
    found = replace(scene.parties[2], part=part(Filter(where(organisation=STRANGER))))
    scene.parties.append(replace(found, name="newcomer"))
    assert await scene.hand_on() == []  # it does not get what the others had before its time
    assert onward.again(scene.disk.database, datetime.now(UTC)) == 1
    assert await scene.hand_on() == [("delivered", None)]
    assert scene.got() == {"region": 1, "municipality": 0, "practice": 1}


@pytest.fixture
def shared(scene: Scene) -> Scene:
    """Region and practice both want the readings of one organisation."""
    both = part(Filter(where(organisation=REGION)))
    scene.parties = [replace(p, part=both) for p in scene.parties if p.name != "municipality"]
    return scene


async def test_a_party_that_is_away_gets_its_own_later_and_the_other_only_once(
    shared: Scene,
) -> None:
    shared.servers["practice"].trouble = [503]
    assert await shared.hand_on(of(REGION, "weight", 1)) == [("delivered", None)]
    assert shared.got() == {"region": 1, "municipality": 0, "practice": 2}


async def test_a_dead_practice_does_not_delay_the_region_and_nothing_is_told_before_both_have_it(
    shared: Scene,
) -> None:
    shared.servers["practice"].trouble = [503] * 10_000
    keep(shared.disk, *(of(REGION, "weight", number) for number in range(1, 6)))
    async with handing(shared.disk, shared.parties):
        await until(lambda: waits(shared.disk) == {"practice": 5})
        assert shared.got()["region"] == 5
        assert outcomes(shared.disk) == []
        assert shared.servers["practice"].held == {}
        await until(lambda: "503" in str(parties.standings(shared.disk.database)[0].reason))
        shared.servers["practice"].trouble.clear()
        await until(lambda: not waiting(shared.disk))
    assert outcomes(shared.disk) == [("delivered", None)] * 5
    assert shared.got()["region"] == 5


def waits(disk: Disk) -> dict[str, int]:
    return {each.party: each.waiting for each in parties.standings(disk.database)}


async def test_a_party_that_is_no_more_is_not_waited_for(shared: Scene) -> None:
    shared.servers["practice"].trouble = [503] * 10_000
    keep(shared.disk, of(REGION, "weight", 1))
    async with handing(shared.disk, shared.parties):
        await until(lambda: waits(shared.disk) == {"practice": 1})
    shared.parties.pop()
    assert await shared.hand_on() == [("delivered", None)]
    assert parties.standings(shared.disk.database) == []


async def test_a_refusal_of_one_is_told_with_its_name_and_does_not_touch_the_other(
    shared: Scene,
) -> None:
    shared.servers["region"].trouble = [422]
    ((status, reason),) = await shared.hand_on(of(REGION, "weight", 1))
    assert (status, reason) == ("undeliverable", "region: it answers 422")
    assert len(shared.servers["practice"].held) > 0


async def test_what_came_to_its_end_can_be_tried_again_where_it_was_refused(shared: Scene) -> None:
    shared.servers["region"].trouble = [422]
    await shared.hand_on(of(REGION, "weight", 1))
    assert onward.again(shared.disk.database, datetime.now(UTC)) == 1
    assert await shared.hand_on() == [("delivered", None)]
    assert shared.got() == {"region": 2, "municipality": 0, "practice": 1}


async def test_an_older_version_from_another_gateway_is_given_to_nobody_who_was_given_a_later_one(
    shared: Scene,
) -> None:
    second = replace(of(REGION, "weight", 1, gateway="gw-9999999999"), version=2)
    shared.servers["practice"].trouble = [422]
    await shared.hand_on(second)
    told = await shared.hand_on(of(REGION, "weight", 1))
    assert told == [("undeliverable", f"practice: {onward.LATER_REFUSED}")]
    assert shared.got() == {"region": 1, "municipality": 0, "practice": 1}


async def test_an_older_version_that_is_handed_on_again_does_not_follow_a_later_one(
    shared: Scene,
) -> None:
    shared.servers["region"].trouble = [422]
    await shared.hand_on(of(REGION, "weight", 1))
    await shared.hand_on(replace(of(REGION, "weight", 1), version=2, position=2))
    onward.again(shared.disk.database, datetime.now(UTC))
    assert await shared.hand_on() == [("delivered", onward.LATER_VERSION)]
    assert shared.got() == {"region": 2, "municipality": 0, "practice": 2}


async def test_a_reason_fits_into_a_receipt(disk: Disk) -> None:
    class Talker:
        async def hand_on(self, reading: ToHandOn) -> None:
            raise Undeliverable(f"{reading.organisation} " * 1000)

    told = await handed_on(disk, [Party("one", Talker())], of(REGION, "weight", 1))
    assert len(str(told[0][1])) == 500


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


def test_a_word_on_a_meter_is_for_whom_its_measurements_are_for() -> None:
    bundle = json.loads(render(CASES["weight"]))
    gateway, meter = [e for e in bundle["entry"] if e["resource"]["resourceType"] == "Device"]
    body = json.dumps({**bundle, "entry": [meter]}).encode()
    assert [kind for kind in KINDS if only(body, {kind}) == body] == ["weight"]
    body = json.dumps({**bundle, "entry": [gateway]}).encode()
    assert [kind for kind in KINDS if only(body, {kind}) == body] == [*KINDS]


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
