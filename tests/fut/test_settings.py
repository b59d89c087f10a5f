"""The files of an operator: each mistake is one line that names the cure."""

from pathlib import Path

import pytest

from backend.fut import people
from backend.onward_directory import load as load_directory
from backend.onward_files import FileUnusable
from backend.onward_settings import OnwardUnusable, load
from backend.onward_setup import opened
from tests.fut.plans import CITIZEN, EPISODE, PATIENT

PEOPLE = f'["{CITIZEN}"]\npatient = "{PATIENT}"\nepisodes = ["{EPISODE}"]\n'
DIRECTORY = """["325421000016001"]
municipality = "0851"
cvr = "29189420"
kombit = "urn:uuid:7d0c6a52-1c1f-4a55-9b39-6b0f7c1e2f10"
kle = "29.18.00"
"""
WHOLE = """
directory = "{folder}/directory.toml"

[[party]]
to = "fhir"
name = "region"
base = "https://fhir.region.example/r4"
where = {{ organisation = ["325421000016001"] }}
oauth = {{ token_url = "https://login.region.example/token", client_id = "receiver" }}

[[party]]
to = "fut"
name = "fut"
base = "https://measurement.fut.example/fhir"
careplan = "https://careplan.fut.example/fhir"
people = "{folder}/people.toml"
where = {{ municipality = ["0851"] }}
kinds = ["blood-pressure", "weight"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.toml").write_text(PEOPLE)
    (tmp_path / "directory.toml").write_text(DIRECTORY)
    (tmp_path / "onward.toml").write_text(WHOLE.format(folder=tmp_path))
    return tmp_path


async def test_a_whole_file_opens_all_parties(folder: Path) -> None:
    async with opened(load(folder / "onward.toml"), folder / "store.db") as parties:
        assert [party.name for party in parties] == ["region", "fut"]
        assert [len(party.files) for party in parties] == [1, 2]
        assert [party.corrects for party in parties] == [True, False]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('to = "fut"', 'to = "ftp"', "'fhir', 'fut'"),
        ('name = "fut"', 'name = "region"', "two parties of one name"),
        ("https://fhir.region", "http://fhir.region", "base"),
        ('where = { organisation = ["325421000016001"] }', "where = {}", "where"),
        ("{ organisation", "{ everybody", "organisation, region"),
        ('["0851"]', "[]", "each with values"),
        ('"weight"', '"mood"', "blood-pressure, oxygen"),
        ("careplan =", "carplan =", "carplan"),
        ("[[party]]", "[party", "onward.toml"),
    ],
)
def test_a_mistake_in_the_file_is_named(folder: Path, old: str, new: str, says: str) -> None:
    path = folder / "onward.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(OnwardUnusable) as unusable:
        load(path)
    assert says in str(unusable.value)


async def test_a_file_that_is_named_and_not_there_is_said_so(folder: Path) -> None:
    (folder / "people.toml").unlink()
    with pytest.raises(OnwardUnusable, match=r"people\.toml"):
        async with opened(load(folder / "onward.toml"), folder / "store.db"):
            pass


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"29189420"', '"29189421"'),
        ('"0851"', '"851"'),
        ("urn:uuid:7d", "7d"),
        ('"29.18.00"', '"2918"'),
        ("cvr =", "vcr ="),
        ('"0851"', "851"),
    ],
)
def test_a_mistake_in_the_directory_is_named(folder: Path, old: str, new: str) -> None:
    path = folder / "directory.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(FileUnusable, match="325421000016001"):
        load_directory(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [("https://patient", "http://patient"), ("episodes = [", "episode = ["), ("patient =", "p =")],
)
def test_a_mistake_in_the_people_is_named_and_nobody_is_quoted(
    folder: Path, old: str, new: str
) -> None:
    path = folder / "people.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(FileUnusable) as unusable:
        people.load(path)
    assert "entry 0" in str(unusable.value)
    assert "7d0c6a52" not in str(unusable.value)


def test_somebody_who_stands_twice_in_the_people_file_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "people.toml"
    path.write_text(PEOPLE * 2)
    with pytest.raises(FileUnusable, match=r"somebody twice at line \d+$") as unusable:
        people.load(path)
    assert "urn:" not in str(unusable.value)
