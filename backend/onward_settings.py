"""The file that says to whom readings are handed on, in TOML; see docs/fut.md."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from backend.fut.measured import MAX_AGE
from backend.onward_directory import COLUMNS
from backend.onward_kinds import KINDS
from backend.onward_parties import ORGANISATION

Url = Annotated[str, Field(pattern=r"^https://[^\s?#]+[^/\s?#]$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]


class OnwardUnusable(Exception):
    """The file, or one that it names, cannot be used; the text says what to do."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OAuth(_Model):
    """`refresh_token`: a file; without it the grant is client_credentials."""

    token_url: Url
    client_id: str
    client_secret: Path | None = None
    refresh_token: Path | None = None
    fields: dict[str, str] = {}  # scope, organization_id, care_team_id ...


class _Party(_Model):
    """What all parties have."""

    name: Name
    base: Url
    where: dict[str, list[str]] = Field(min_length=1)
    kinds: list[str] = []
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    oauth: OAuth | None = None

    @field_validator("where")
    @classmethod
    def _known_columns(cls, where: dict[str, list[str]]) -> dict[str, list[str]]:
        known = {ORGANISATION, *COLUMNS}
        if not set(where) <= known or not all(where.values()):
            raise ValueError(f"expected some of {', '.join(sorted(known))}, each with values")
        return where

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, kinds: list[str]) -> list[str]:
        if not set(kinds) <= set(KINDS):
            raise ValueError(f"expected some of {', '.join(KINDS)}")
        return kinds


class FhirParty(_Party):
    to: Literal["fhir"]


class FutParty(_Party):
    """`base`: of the measurement server."""

    to: Literal["fut"]
    careplan: Url
    plan: Url | None = None
    task: Url | None = None
    people: Path
    version: Literal[8, 10] = 10
    further_codings: bool = True
    unlabelled_glucose: bool = False
    simulated: bool = False
    pause_s: float = Field(default=0.5, ge=0, le=60)
    max_age_days: int = Field(default=MAX_AGE.days, ge=1, le=36_500)


AnyParty = FhirParty | FutParty


class Onward(_Model):
    directory: Path | None = None
    party: list[Annotated[AnyParty, Field(discriminator="to")]] = Field(min_length=1)

    @field_validator("party")
    @classmethod
    def _one_of_each_name(cls, parties: list[AnyParty]) -> list[AnyParty]:
        names = [party.name for party in parties]
        if len(set(names)) < len(names):
            raise ValueError("two parties of one name")
        return parties


def load(path: Path) -> Onward:
    """Raises OnwardUnusable."""
    try:
        with path.open("rb") as file:
            return Onward.model_validate(tomllib.load(file))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        told = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults)
        raise OnwardUnusable(f"{path}: {told}") from error
    except (OSError, ValueError) as error:
        raise OnwardUnusable(f"{path}: {error}") from error
