"""Bundles with one fault each: what the rules, and HL7's validator, are tried on."""

from tests.fhir.mutants.bundles import BUNDLES
from tests.fhir.mutants.claims import CLAIMS
from tests.fhir.mutants.devices import DEVICES
from tests.fhir.mutants.identities import IDENTITIES
from tests.fhir.mutants.mutant import Mutant
from tests.fhir.mutants.observations import OBSERVATIONS
from tests.fhir.mutants.properties import PROPERTIES
from tests.fhir.mutants.timestamps import TIMESTAMPS
from tests.fhir.mutants.values import VALUES

__all__ = ["MUTANTS", "Mutant"]

MUTANTS: tuple[Mutant, ...] = (
    *(*BUNDLES, *IDENTITIES, *OBSERVATIONS, *CLAIMS),
    *(*VALUES, *TIMESTAMPS, *DEVICES, *PROPERTIES),
)
