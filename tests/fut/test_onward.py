"""From a gateway over a real broker and a receiver's process to FHIR and FUT, and back again."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway import contract
from gateway.contract import Receipt, Topics
from gateway.uplink import Uplink
from simulator.broker import Broker, access_list
from simulator.pki import Authority
from tests.backend import running
from tests.backend.parts import GATEWAY, OTHER, TOPICS, message, reading
from tests.backend.running import LONG_S, Receiver, tell
from tests.fut import fhir_standin, plans, standin
from tests.fut.fhir_standin import Server
from tests.fut.plans import CITIZEN, PATIENT, Row
from tests.fut.standin import Fut
from tests.fut.test_files import written

ONWARD = """
[[party]]
to = "fhir"
name = "region"
base = "{fhir}"
ca = "{ca}"
where = {{ organisation = ["org1"] }}

[[party]]
to = "fut"
name = "fut"
base = "{fut}/measurement"
careplan = "{fut}/careplan"
people = "{people}"
ca = "{ca}"
where = {{ organisation = ["org1"] }}
kinds = ["blood-pressure"]
pause_s = 0
max_age_days = 36500
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki")


@pytest.fixture
async def broker(tmp_path: Path, authority: Authority) -> AsyncIterator[Broker]:
    async with running.broker(tmp_path, authority) as started:
        yield started


@pytest.fixture
def uplink(broker: Broker, authority: Authority) -> Uplink:
    return running.uplink(broker, authority)


@pytest.fixture
def behind(authority: Authority) -> Iterator[tuple[Server, Fut]]:
    """A FHIR server, and a FUT that asks for a blood pressure."""
    own = authority.server()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own.certificate, own.key)
    with ExitStack() as started:
        server = started.enter_context(fhir_standin.running(Server(), tls))
        fut = started.enter_context(standin.running(Fut((Row(plans.PANEL),)), tls))
        yield server, fut


@pytest.fixture
def onward(behind: tuple[Server, Fut], tmp_path: Path, authority: Authority) -> Path:
    people, path = tmp_path / "people.toml", tmp_path / "onward.toml"
    people.write_text(f'["{CITIZEN}"]\npatient = "{PATIENT}"\n')
    server, fut = behind
    path.write_text(ONWARD.format(fhir=server.base, fut=fut.base, people=people, ca=authority.ca))
    return path


async def test_a_reading_is_stored_then_delivered_to_both_and_its_gateway_is_told(
    broker: Broker,
    authority: Authority,
    uplink: Uplink,
    behind: tuple[Server, Fut],
    onward: Path,
    tmp_path: Path,
) -> None:
    server, fut = behind
    server.trouble = [503]
    async with Receiver(broker, authority, tmp_path / "store.db", "--onward", str(onward)):
        receipts = await told(uplink, 2)
    assert [each.status for each in receipts] == ["stored", "delivered"]
    assert {each.id for each in receipts} == {reading(1)}
    assert server.kinds() == {"Device": 2, "Observation": 2}
    assert fut.codes == ["ZZ3170"]


async def test_what_is_refused_is_told_with_its_reason(
    broker: Broker,
    authority: Authority,
    uplink: Uplink,
    behind: tuple[Server, Fut],
    onward: Path,
    tmp_path: Path,
) -> None:
    behind[1].rows = ()
    async with Receiver(broker, authority, tmp_path / "store.db", "--onward", str(onward)):
        receipts = await told(uplink, 2)
    assert [each.status for each in receipts] == ["stored", "undeliverable"]
    assert "fut: the care plan asks for none of it" in str(receipts[1].reason)
    assert "121" not in str(receipts[1].reason)


async def test_a_citizen_who_is_added_to_the_people_is_known_without_a_restart(
    broker: Broker,
    authority: Authority,
    uplink: Uplink,
    behind: tuple[Server, Fut],
    onward: Path,
    tmp_path: Path,
) -> None:
    people, store = tmp_path / "people.toml", tmp_path / "store.db"
    whole = people.read_text()
    people.write_text("")
    async with Receiver(broker, authority, store, "--onward", str(onward)) as receiver:
        receipts = await told(uplink, 2)
        assert "fut: nobody has said who this citizen is" in str(receipts[1].reason)
        written(people, whole)
        await receiver.says(b"people.toml was read anew")
        async with uplink.connect() as session:
            await session.subscribe(TOPICS.receipt)
            messages = session.messages()
            assert (await tell("dead-letters", "--store", str(store), "--again"))[0] == 0
            later = receipts  # an unconfirmed message comes once more
            async with asyncio.timeout(LONG_S):
                while later[-1].status == "undeliverable":
                    later = list(contract.parse_receipts((await anext(messages)).body).receipts)
    assert [each.status for each in later] == ["delivered"]
    assert behind[1].codes == ["ZZ3170"]


async def told(
    uplink: Uplink, number: int, topics: Topics = TOPICS, what: int = 1
) -> list[Receipt]:
    """The receipts that follow one reading."""
    receipts: list[Receipt] = []
    async with uplink.connect() as session:
        await session.subscribe(topics.receipt)
        messages = session.messages()
        sent = message(what, gateway=topics.gateway, seq=1)
        assert await session.publish(contract.observation(topics, sent, 600)) == 0
        async with asyncio.timeout(LONG_S):
            while len(receipts) < number:
                receipts += contract.parse_receipts((await anext(messages)).body).receipts
    return receipts


PARTY = """
[[party]]
to = "fhir"
name = "{name}"
base = "{base}"
ca = "{ca}"
where = {{ {where} }}
"""


async def test_three_parties_behind_one_receiver_of_several_organisations_and_no_leak(
    authority: Authority, tmp_path: Path
) -> None:
    own = authority.server()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own.certificate, own.key)
    (tmp_path / "directory.toml").write_text('["org2"]\nmunicipality = "0851"\n')
    wheres = {
        "region": 'organisation = ["org1"]',
        "municipality": 'municipality = ["0851"]',
        "practice": 'organisation = ["org3"]',
    }
    broker = running.broker(tmp_path, authority)
    with (tmp_path / "broker" / "acl").open("a") as rights:
        rights.write(access_list("org2", [OTHER], ["receiver-1"]))
    with ExitStack() as started:
        servers = {
            name: started.enter_context(fhir_standin.running(Server(), tls)) for name in wheres
        }
        onward = tmp_path / "onward.toml"
        onward.write_text(
            f'directory = "{tmp_path}/directory.toml"\n'
            + "".join(
                PARTY.format(name=name, base=server.base, ca=authority.ca, where=wheres[name])
                for name, server in servers.items()
            )
        )
        more = ("--onward", str(onward), "--org", "+")
        async with broker, Receiver(broker, authority, tmp_path / "store.db", *more):
            uplink = running.uplink(broker, authority)
            assert [each.status for each in await told(uplink, 2)] == ["stored", "delivered"]
            theirs = Topics("org2", OTHER)
            uplink = running.uplink(broker, authority, OTHER)
            receipts = await told(uplink, 2, theirs, 2)
            assert [each.status for each in receipts] == ["stored", "delivered"]
    got = {name: [gateway_of(body) for body in s.bodies] for name, s in servers.items()}
    assert got == {"region": [GATEWAY], "municipality": [OTHER], "practice": []}


def gateway_of(body: bytes) -> str:
    device = json.loads(body)["entry"][0]["resource"]
    return str(device["serialNumber"])


async def test_a_file_that_cannot_be_used_is_one_line_and_status_78(
    broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    own, path = authority.client("receiver-1"), tmp_path / "onward.toml"
    path.write_text("party = []\n")
    words = {"--host": broker.host, "--port": broker.port, "--ca": broker.ca, "--org": "org1"}
    words |= {"--cert": own.certificate, "--key": own.key, "--store": tmp_path / "s.db"}
    given = [str(word) for option in words.items() for word in option]
    code, _, errors = await tell("run", *given, "--onward", str(path))
    assert (code, errors.count("\n")) == (78, 1)
    assert "onward.toml: party" in errors
