"""A file of the operator's that changes is read anew; one that is broken changes nothing."""

from pathlib import Path

import pytest

from backend import commands
from backend.fut import people
from backend.onward import Party
from backend.onward_files import FileUnusable, Watched
from backend.store import parties
from tests.fut.plans import CITIZEN, PATIENT
from tests.fut.queue import handing, until
from tests.fut.scene import Disk

PEOPLE = f'["{CITIZEN}"]\npatient = "{PATIENT}"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "people.toml"
    made.write_text(PEOPLE)
    return made


@pytest.fixture
def file(path: Path) -> Watched[people.People]:
    return Watched(path, people.load)


def written(path: Path, text: str | None) -> None:
    """As careful people do it: whole, under another name first. None: it is not there any more."""
    if text is None:
        path.unlink()
        return
    unfinished = path.with_suffix(".new")
    unfinished.write_text(text)
    unfinished.replace(path)


async def test_a_file_that_has_not_changed_is_not_read_again(
    file: Watched[people.People],
) -> None:
    before = file.value
    assert await file.look() is None
    assert file.value is before


async def test_a_changed_file_is_read_anew(path: Path, file: Watched[people.People]) -> None:
    written(path, f'{PEOPLE}["urn:x|2"]\npatient = "{PATIENT}2"\n')
    assert await file.look() is None
    assert file.value["urn:x|2"].patient == f"{PATIENT}2"


async def test_a_changed_file_of_as_many_octets_is_read_anew(
    path: Path, file: Watched[people.People]
) -> None:
    written(path, PEOPLE.replace("1001", "1002"))
    assert await file.look() is None
    assert file.value[CITIZEN].patient.endswith("1002")


@pytest.mark.parametrize("text", ["[broken", f'["{CITIZEN}"]\npatient = "http://x"\n', None])
async def test_a_broken_file_is_told_of_and_the_old_one_holds_until_it_is_repaired(
    path: Path,
    file: Watched[people.People],
    text: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    written(path, text)
    for _ in range(2):
        words = await file.look()
        assert "people.toml" in str(words)
        assert "what it said before holds" in str(words)
        assert file.value[CITIZEN].patient == PATIENT
    assert len([r for r in caplog.records if r.levelname == "ERROR"]) == 1
    written(path, PEOPLE)
    assert await file.look() is None


def test_without_a_first_one_there_is_nothing_to_go_by(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match=r"none\.toml"):
        Watched(tmp_path / "none.toml", people.load)


async def test_a_broken_file_is_seen_by_status_and_a_repaired_one_is_not(
    disk: Disk,
    path: Path,
    file: Watched[people.People],
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Nobody:
        async def hand_on(self, _: object) -> None:
            raise AssertionError

    written(path, "[broken")
    async with handing(disk, [Party("fut", Nobody(), files=[file])]):
        await until(lambda: parties.standings(disk.database))
        assert commands.status(disk.database, forget=False, as_json=False) == 1
        assert "! fut: " in (told := capsys.readouterr().out)
        assert "people.toml" in told
        written(path, PEOPLE)
        await until(lambda: not parties.standings(disk.database))
        assert commands.status(disk.database, forget=False, as_json=False) == 0
