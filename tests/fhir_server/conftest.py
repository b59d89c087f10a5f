"""One server for all tests; each has its own patient and meters there."""

from collections.abc import Iterator

import httpx
import pytest

from tests.fhir_server.clinic import PATIENCE_S, Clinic
from tests.fhir_server.servers import hapi


@pytest.fixture(scope="session")
def clinic() -> Iterator[Clinic]:
    with hapi() as base, httpx.Client(base_url=base, timeout=PATIENCE_S) as http:
        yield Clinic(http)
