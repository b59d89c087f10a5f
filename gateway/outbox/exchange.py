"""A fresh file takes the place of a damaged one, which stays beside it; cut short, it goes on."""

from datetime import datetime
from pathlib import Path

from gateway.outbox.keys import sync_folder

KEPT_ASIDE = 2  # damaged files: on a dying disk there may be one every day


def finish(path: Path) -> None:
    """Exchange the files, or go on with an exchange that was cut short anywhere.

    The old log goes first: SQLite would play it into the new file.
    """
    fresh, wal = fresh_file(path), path.with_name(path.name + "-wal")
    if not fresh.exists():
        return
    written = datetime.fromtimestamp(fresh.stat().st_mtime).astimezone()
    aside = path.with_name(f"{path.name}.damaged-{written:%Y%m%dT%H%M%S}")
    if wal.exists():
        wal.replace(aside.with_name(aside.name + "-wal"))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    if path.exists():
        path.replace(aside)
    sync_folder(path.parent)
    fresh.replace(path)
    sync_folder(path.parent)
    for old in _set_aside(path)[:-KEPT_ASIDE]:
        remove(old)


def _set_aside(path: Path) -> list[Path]:
    """Damaged files, oldest first."""
    found = path.parent.glob(f"{path.name}.damaged-*")
    return sorted(file for file in found if not file.name.endswith("-wal"))


def fresh_file(path: Path) -> Path:
    return path.with_name(path.name + ".fresh")


def remove(path: Path) -> None:
    for name in (path.name, path.name + "-wal", path.name + "-shm"):
        path.with_name(name).unlink(missing_ok=True)
