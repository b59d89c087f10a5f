"""Build the machine of a Debian release once, and keep it outside the checkout.

Its own bluetoothd, D-Bus and kernel, unpacked and not installed: nothing of it is started here,
and it does not matter which Debian this is.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.vm.machine import kernel

HERE = Path(__file__).parent
RECIPE = ("build.py", "kernel.py", "init.sh")  # another recipe is another machine
PACKAGES = ("bluez", "dbus", "linux-image-amd64", "busybox-static")
# Only what starts the machine needs them, and they are 400 MB of files.
SPENT = ("boot", "lib/modules", "usr/lib/modules", "usr/share/doc", "usr/share/locale")
KEPT_S = 86_400  # one of another recipe may be running: another branch's
# Packages that are only unpacked have made no users; dbus-daemon wants to become one.
USERS = "root:x:0:0:root:/root:/bin/sh\nmessagebus:x:100:100::/nonexistent:/usr/sbin/nologin\n"
GROUPS = "root:x:0:\nmessagebus:x:100:\nbluetooth:x:101:\n"


class BuildError(Exception):
    """The machine could not be built; the text says which step failed, and how."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What QEMU starts, and the tree in which bluetoothd and dbus-daemon run inside."""

    kernel: Path
    start_disk: Path
    tree: Path


def machine(release: str) -> Machine:
    """The machine of *release*, built now unless it stands. Raises BuildError."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hjemgate" / "vm"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"{release}-{_recipe()}"
    with _alone(cache / f"{release}.lock"):
        if not folder.exists():
            _tidy(cache, release)
            _build(release, cache / f"{release}-unfinished", folder)
        os.utime(folder)
    return Machine(folder / "kernel", folder / "start-disk.gz", folder / "tree")


def _recipe() -> str:
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in RECIPE)).hexdigest()[:12]


def _tidy(cache: Path, release: str) -> None:
    """Remove what was broken off, and machines that nobody has used lately."""
    for old in cache.glob(f"{release}-*"):
        if old.name.endswith("-unfinished") or time.time() - old.stat().st_mtime > KEPT_S:
            shutil.rmtree(old)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Two at a time would build over each other; the second finds it done."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _build(release: str, folder: Path, final: Path) -> None:
    tree = folder / "tree"
    tree.mkdir(parents=True)
    _unpack(release, tree)
    (tree / "etc/passwd").write_text(USERS, "ascii")
    (tree / "etc/group").write_text(GROUPS, "ascii")
    try:
        image = tree / "boot" / f"vmlinuz-{kernel.version(tree)}"
        (folder / "kernel").write_bytes(kernel.unwrapped(image.read_bytes()))
        kernel.start_disk(tree, HERE / "init.sh", folder / "start-disk.gz")
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise BuildError(f"the kernel of {release}: {error}") from error
    for each in SPENT:
        shutil.rmtree(tree / each, ignore_errors=True)
    folder.rename(final)


def _unpack(release: str, tree: Path) -> None:
    """The packages of *release* and all that they depend on, from Debian's own archive."""
    fetch = ["mmdebstrap", "--variant=extract", f"--include={','.join(PACKAGES)}", release, "-"]
    unpack = ["tar", "--extract", "--directory", str(tree), "--exclude=./dev/*", "--no-same-owner"]
    log = tree.with_suffix(".log")
    with (
        log.open("wb") as said,
        subprocess.Popen(fetch, stdout=subprocess.PIPE, stderr=said) as fetching,
    ):
        unpacked = subprocess.run(unpack, stdin=fetching.stdout, stderr=said)
    if fetching.returncode or unpacked.returncode:
        last = log.read_text("utf-8", "replace").splitlines()[-8:]
        raise BuildError("\n".join([f"unpacking the packages of {release} failed:", *last]))
