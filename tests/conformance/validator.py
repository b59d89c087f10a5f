"""HL7's validator in one Java process: what it says of each of many resources."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.conformance import terminology

HERE = Path(__file__).parent / "validator"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"
GUIDES = ("phd-2.0.0", "dk-core-3.8.0", "dk-core-3.8.0/dependencies")
QUICK = "-XX:TieredStopAtLevel=1"  # a short life: what the better compiler costs, it never earns
PATIENCE_S = 1800


class Unavailable(Exception):
    """Something that the validator needs is not on this machine."""


class Issue(NamedTuple):
    severity: str  # information, warning, error, fatal
    at: str  # FHIRPath, more or less
    id: str  # the validator's own name of the message
    says: str


def packages() -> Path:
    """The folder of conformance resources; see docs/fhir.md for what is in it. Or Unavailable."""
    root = Path(__file__).parents[2]
    folder = Path(os.environ.get("FHIR_PACKAGES") or root.parent / "shared" / "fhir")
    missing = [name for name in GUIDES if not (folder / name).is_dir()]
    if missing:
        raise Unavailable(
            f"no conformance resources in {folder}: {', '.join(missing)} missing;"
            " let FHIR_PACKAGES name the folder that has them (docs/fhir.md)"
        )
    return folder


def validate(bodies: Mapping[str, bytes]) -> Mapping[str, Sequence[Issue]]:
    """What the validator says of each resource, by its name. Raises Unavailable."""
    folders = [str(packages() / name) for name in GUIDES]
    asked = [json.dumps({"name": name, "body": body.decode()}) for name, body in bodies.items()]
    with tempfile.TemporaryDirectory(prefix="conformance-") as extra:
        terminology.write(packages() / "phd-2.0.0", Path(extra))
        said = subprocess.run(
            ["java", QUICK, "-cp", class_path(), str(HERE / "Validate.java"), *folders, extra],
            input="\n".join(asked).encode(),
            capture_output=True,
            timeout=PATIENCE_S,
        )
    if said.returncode != 0:
        raise Unavailable(f"the validator ended with {said.returncode}: {said.stderr.decode()}")
    return dict(_answers(said.stdout.decode()))


def _answers(text: str) -> Iterator[tuple[str, Sequence[Issue]]]:
    for line in text.splitlines():
        answer = json.loads(line)
        yield answer["name"], [Issue(**issue) for issue in answer["issues"]]


def class_path(pom: Path = HERE / "pom.xml") -> str:
    """From Maven Central once, then from a file that is named after the pom's digest."""
    for command in ("java", "javac", "mvn"):
        if shutil.which(command) is None:
            raise Unavailable(f"{command} is missing: apt-get install default-jdk-headless maven")
    digest = hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hjemgate"
    stored = cache / f"conformance-{digest}.classpath"
    if not (stored.exists() and all(Path(jar).exists() for jar in _jars(stored))):
        cache.mkdir(parents=True, exist_ok=True)
        fresh = stored.with_suffix(f".{os.getpid()}")
        run = ("mvn", "-q", "-B", "--strict-checksums", "-f", str(pom), PLUGIN)
        made = subprocess.run((*run, f"-Dmdep.outputFile={fresh}"), capture_output=True, text=True)
        if made.returncode != 0:
            raise Unavailable(f"Maven could not fetch what {pom} names: {made.stdout[-2000:]}")
        fresh.replace(stored)
    return stored.read_text(encoding="utf-8")


def _jars(stored: Path) -> Sequence[str]:
    return stored.read_text(encoding="utf-8").split(os.pathsep)
