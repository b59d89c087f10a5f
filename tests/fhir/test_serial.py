"""The octets: what comes out is what went in, and the gate notices when it is not FHIR."""

import json
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fhir import RenderError, render
from gateway.fhir.gate import parse
from gateway.fhir.serial import Json, dumps
from tests.fhir.records import BLOOD_PRESSURE

LEAVES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9),
)
DOCUMENTS: st.SearchStrategy[Json] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(DOCUMENTS)
def test_json_reads_back_what_was_written(document: Json) -> None:
    assert json.loads(dumps(document), parse_float=Decimal) == document


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_a_number_is_plain_and_keeps_its_digits(number: Decimal) -> None:
    text = dumps(number).decode()
    assert "E" not in text
    assert Decimal(text) == number
    _, _, decimals = text.partition(".")
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    assert len(decimals) == max(-exponent, 0)


@pytest.mark.parametrize("special", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_refused(special: str) -> None:
    with pytest.raises(RenderError):
        dumps([Decimal(special)])


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(RenderError):
        dumps({"name": "\ud800"})


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (b'"status":"final",', b""),
        (b'"resourceType":"Observation"', b'"resourceType":"Observatory"'),
        (b'"resourceType":"Observation"', b'"resourceType":7'),
        (b'"value":121', b'"value":"much"'),
        (b'"issued":', b'"issue":'),
        (b'"effectiveDateTime":"2026-11-22', b'"effectiveDateTime":"2026-13-45'),
    ],
)
def test_the_gate_refuses_what_is_not_fhir(written: bytes, instead: bytes) -> None:
    body = render(BLOOD_PRESSURE)
    assert written in body
    with pytest.raises(RenderError, match="not FHIR"):
        parse(body.replace(written, instead))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b"\xff"])
def test_the_gate_refuses_what_is_no_bundle(body: bytes) -> None:
    with pytest.raises(RenderError, match="not FHIR"):
        parse(body)


def test_the_gate_quotes_nothing_of_what_it_refuses() -> None:
    body = render(BLOOD_PRESSURE).replace(b'"value":121', b'"value":"0101010101"')
    with pytest.raises(RenderError) as refusal:
        parse(body)
    assert "0101010101" not in str(refusal.value)


def test_the_models_are_loaded_only_where_the_gate_is_used() -> None:
    script = "import sys, gateway.fhir, gateway.fhir.gate; print('fhir.resources' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert found.stdout.strip() == b"False"
