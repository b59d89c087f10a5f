"""The power goes at any moment, and comes back: nothing promised is lost, nothing is doubled."""

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.outbox import rotation
from gateway.outbox.database import Database
from gateway.outbox.vault import Vault
from tests.outbox.house import House, cuff
from tests.powercut.disk import Files, Platter
from tests.powercut.life import Life, whole
from tests.powercut.promises import Broken, Promises

FIXED_SEED = 20261125
LIVES, STARTS, STEPS, CUTS = 25, 2, 12, 20  # by a fixed and by a fresh seed: 2,000 cuts


def dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - to be repeated, not to be secret


async def lived(folder: Path, synchronous: str = "FULL") -> Promises:
    """A whole life, from an empty disk to a clean end."""
    promises = Promises({}, synchronous)
    house = House(folder, store=promises.store)
    await whole(house)
    house.close()
    return promises


def every_cut(
    promises: Promises, seed: int, look: Callable[[Database], object] = lambda _: None
) -> int:
    """Cut after each operation, with good luck, bad luck and by chance. Returns how many cuts."""
    platter, chance = Platter(promises.before), dice(seed)
    cuts = 0
    for done in range(len(promises.disk.log) + 1):
        fates = (False,) if platter.at_rest else (False, True, chance)
        for fate in fates:
            promises.check(platter.cut(fate), done, look)
        cuts += len(fates)
        if done < len(promises.disk.log):
            platter.did(promises.disk.log[done])
    return cuts


async def test_a_cut_at_any_moment_of_a_whole_life_breaks_no_promise(tmp_path: Path) -> None:
    promises = await lived(tmp_path)
    cuts = every_cut(promises, FIXED_SEED)
    sys.stdout.write(f"{len(promises.disk.log)} operations, {cuts} cuts\n")
    assert cuts > 2 * len(promises.disk.log)


async def test_a_cut_at_any_moment_of_a_change_of_keys_leaves_everything_to_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 4)  # several transactions
    before = Promises({})
    house = House(tmp_path, store=before.store)
    await house.session(await house.meter(), [cuff(121), cuff(122)])
    await house.settle()
    house.close()
    files = {name: bytes(octets) for name, octets in before.disk.files.items()}
    both = Vault(bytes(32), bytes(range(32)))  # the key that seals now, and that of the model
    promises = Promises(files, vault=both)
    assert await promises.store(rotation.reseal) > 8
    promises.store.close()
    every_cut(promises, FIXED_SEED, opens_everything)


def opens_everything(db: Database) -> None:
    """Seal all anew: what does not open raises KeyRefused."""
    rotation.reseal(db)


async def test_the_model_finds_what_a_commit_without_a_sync_would_lose(tmp_path: Path) -> None:
    promises = await lived(tmp_path, "NORMAL")
    with pytest.raises(Broken, match="not the rows that were promised"):
        every_cut(promises, FIXED_SEED)


async def test_the_model_finds_what_a_disk_that_ignores_a_sync_would_spoil(tmp_path: Path) -> None:
    promises = await lived(tmp_path)
    promises.disk.log[:] = [each for each in promises.disk.log if each.kind != "sync"]
    with pytest.raises(Broken):
        every_cut(promises, FIXED_SEED)


@pytest.mark.parametrize("seed", [FIXED_SEED, None], ids=["fixed seed", "fresh seed"])
async def test_random_lives_with_cuts_lose_nothing_and_double_nothing(
    tmp_path: Path, seed: int | None
) -> None:
    if seed is None:
        seed = random.SystemRandom().randrange(1 << 32)
    sys.stdout.write(f"seed {seed}\n")  # pytest shows it when the test fails
    chance = dice(seed)
    for _ in range(LIVES):
        await one_life(chance, tmp_path)


async def one_life(chance: random.Random, folder: Path) -> None:
    """Some starts that each end in a cut, and one that is allowed to finish its work."""
    life, files = Life(chance, folder), Files()
    for _ in range(STARTS):
        promises = Promises(files)
        await life.start(promises)
        await life.live(STEPS)
        life.house.close()
        files = some_cuts(promises, life, chance)
    await life.start(Promises(files))
    await life.end()
    assert set(await life.house.states()) <= {"received"}
    records = {(meter, frame) for meter, octets in life.memory.items() for frame in octets}
    for meter, frame in life.promised | records:
        assert len(await life.readings_of(meter, frame)) == 1
    life.house.close()


def some_cuts(promises: Promises, life: Life, chance: random.Random) -> Files:
    """Cut a start of the program short at random moments; the last of them counts."""
    log, platter = promises.disk.log, Platter(promises.before)
    moments = sorted(chance.randint(0, len(log)) for _ in range(CUTS))
    counts, files = chance.choice(moments), promises.before
    done = 0
    for moment in moments:
        for operation in log[done:moment]:
            platter.did(operation)
        done = moment
        found = platter.cut(chance)
        promises.check(found, moment)
        if moment == counts:
            files = found
    life.cut(counts)
    return files
