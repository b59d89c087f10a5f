"""Which organisations stand behind the names in topics.

A file that the operator keeps, in TOML; what is not known is left out:

    ["325421000016001"]                       # as in the topic: a SOR code, or an opaque name
    region = "1081"                           # four digits, as in DK Core
    municipality = "0851"                     # four digits
    cvr = "29189420"
    kombit = "urn:uuid:..."                   # https://kombit.dk/sts/organisation
    kle = "29.18"                             # the subject under which the municipality files it
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

from backend.onward_files import FileUnusable

CVR_WEIGHTS = (2, 7, 6, 5, 4, 3, 2, 1)  # modulus 11

Directory = Mapping[str, Mapping[str, str]]


def load(path: Path) -> Directory:
    """By the name in the topic. Raises FileUnusable."""
    try:
        with path.open("rb") as file:
            rows = tomllib.load(file)
    except (OSError, ValueError) as error:
        raise FileUnusable(f"{path}: {error}") from error
    for name, row in rows.items():
        if not isinstance(row, dict):
            raise FileUnusable(f"{path}: {name}: expected a table")
        for column, value in row.items():
            rule = COLUMNS.get(column)
            if rule is None:
                raise FileUnusable(f"{path}: {name}: unknown {column!r}; known: {_known()}")
            if not isinstance(value, str) or not rule(value):
                raise FileUnusable(f"{path}: {name}: {column} = {value!r} cannot be right")
    return rows


def _known() -> str:
    return ", ".join(COLUMNS)


def _is_cvr(text: str) -> bool:
    if not re.fullmatch(r"\d{8}", text):
        return False
    return sum(int(d) * w for d, w in zip(text, CVR_WEIGHTS, strict=True)) % 11 == 0


def _is_uuid(text: str) -> bool:
    try:
        return text == f"urn:uuid:{UUID(text)}"
    except ValueError:
        return False


def _is_subject(text: str) -> bool:
    """Group, group and subject: 29, 29.18 or 29.18.02."""
    return re.fullmatch(r"\d\d(\.\d\d){0,2}", text) is not None


def _is_area(text: str) -> bool:
    return re.fullmatch(r"\d{4}", text) is not None


COLUMNS: Mapping[str, Callable[[str], bool]] = {
    "region": _is_area,
    "municipality": _is_area,
    "cvr": _is_cvr,
    "kombit": _is_uuid,
    "kle": _is_subject,
}
