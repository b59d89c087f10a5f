"""What starts: a kernel without its wrapping, and a small disk in memory with the modules."""

import gzip
import lzma
import shutil
import subprocess
from pathlib import Path

# `drbg` and what it stands on come first: without it the self-test of `ecdh_generic` fails, and
# with that LE Secure Connections.
MODULES = (
    *("hmac", "ctr", "sha512_generic", "sha256_generic", "drbg"),
    *("virtio_pci", "9pnet_virtio", "9p", "overlay"),
    *("cmac", "ecb", "ecdh_generic", "algif_hash", "algif_skcipher"),
    *("bluetooth", "hci_vhci", "uhid"),
)
APPLETS = ("sh", "mount", "insmod", "mkdir", "switch_root")
ELF = b"\x7fELF"
XZ, ZSTD = b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"


def version(tree: Path) -> str:
    """Of the kernel in *tree*, as its modules' folder is called."""
    (image,) = (tree / "boot").glob("vmlinuz-*")
    return image.name.removeprefix("vmlinuz-")


def unwrapped(image: bytes) -> bytes:
    """The ELF file inside a bzImage: QEMU starts it by PVH, without seconds of unpacking."""
    for magic, unpack in ((XZ, _xz), (ZSTD, _zstd)):
        at = image.find(magic)
        while at >= 0:
            found = unpack(image[at:])
            if found.startswith(ELF):
                return found
            at = image.find(magic, at + 1)
    raise ValueError("no kernel in this image: neither xz nor zstd")


def _xz(octets: bytes) -> bytes:
    """The stream at the start; b"" if it only looked like one."""
    try:
        return lzma.LZMADecompressor().decompress(octets)
    except lzma.LZMAError:
        return b""


def _zstd(octets: bytes) -> bytes:
    # What follows the stream makes it complain, after it has given everything.
    return subprocess.run(["zstd", "-dcq"], input=octets, capture_output=True).stdout


def start_disk(tree: Path, init: Path, to: Path) -> None:
    """Busybox, *init* and the modules of the kernel in *tree*, in the order to load them."""
    folder = to.with_suffix(".d")
    (folder / "bin").mkdir(parents=True)
    (folder / "modules").mkdir()
    shutil.copy(tree / "bin/busybox", folder / "bin/busybox")
    for applet in APPLETS:
        (folder / "bin" / applet).symlink_to("busybox")
    order = [_copied(module, folder / "modules") for module in _needed(tree)]
    (folder / "order").write_text("".join(f"{name}\n" for name in order), "ascii")
    shutil.copy(init, folder / "init")
    (folder / "init").chmod(0o755)
    names = "\n".join(str(each.relative_to(folder)) for each in sorted(folder.rglob("*")))
    packed = subprocess.run(
        ["cpio", "--create", "--format=newc", "--quiet"],
        cwd=folder,
        input=names.encode(),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    to.write_bytes(gzip.compress(packed, 6))
    shutil.rmtree(folder)


def _needed(tree: Path) -> list[Path]:
    """The files of MODULES and of what they depend on, in order."""
    release = version(tree)
    subprocess.run(["depmod", "-b", tree, release], check=True)
    told = subprocess.run(
        ["modprobe", "-d", tree, "-S", release, "--show-depends", "-a", *MODULES],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    files = [line.split()[1] for line in told.splitlines() if line.startswith("insmod ")]
    return [Path(each) for each in dict.fromkeys(files)]


def _copied(module: Path, to: Path) -> str:
    if module.suffix != ".xz":
        shutil.copy(module, to)
        return module.name
    (to / module.stem).write_bytes(lzma.decompress(module.read_bytes()))
    return module.stem
