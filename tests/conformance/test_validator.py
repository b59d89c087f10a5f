"""Around HL7's validator: what it is given, and what is made of what it says. Without Java."""

import json
from pathlib import Path

import pytest

from tests.conformance import terminology, vital_signs
from tests.conformance.corpus import bundles
from tests.conformance.reasons import REASONS, refusals, vital_refusals
from tests.conformance.validator import Issue, Unavailable, class_path, packages

KNOWN = Issue("warning", "here", REASONS[0].id, REASONS[0].part)


def test_without_the_packages_it_says_what_is_missing_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FHIR_PACKAGES", str(tmp_path))
    with pytest.raises(Unavailable, match=r"phd-2\.0\.0.* missing; let FHIR_PACKAGES name"):
        packages()


def test_without_java_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="java is missing: apt-get install"):
        class_path()


def test_a_warning_with_a_reason_refuses_nothing_and_any_other_does() -> None:
    assert refusals([KNOWN, KNOWN._replace(severity="information")]) == []
    for odd in (KNOWN._replace(says="something else"), KNOWN._replace(id="another")):
        assert refusals([KNOWN, odd]) == [odd]


def test_no_reason_excuses_an_error_of_a_bundle() -> None:
    error = KNOWN._replace(severity="error")
    assert refusals([error]) == [error]


def test_an_error_of_a_vital_sign_needs_a_reason_of_its_own() -> None:
    timeless = Issue(
        "error", "here", "bp#vs-1", "if Observation.effective[x] is dateTime and has a value"
    )
    assert vital_refusals([timeless]) == []
    assert vital_refusals([timeless._replace(id="bp#vs-2")]) != []


def test_every_vital_sign_is_tried_by_its_own_profile_alone() -> None:
    found = [json.loads(each) for each in vital_signs.alone(bundles()["blood-pressure"])]
    profiles = [observation["meta"]["profile"] for observation in found]
    base = "http://hl7.org/fhir/StructureDefinition/"
    assert profiles == [[f"{base}bp"], [f"{base}heartrate"]]


def test_a_value_set_of_whole_partitions_becomes_a_list(tmp_path: Path) -> None:
    include = {"system": terminology.MDC, "filter": [{"property": "partition", "value": "2,128"}]}
    for name, includes in (("a", [include]), ("b", [{"system": terminology.MDC}])):
        value_set = {"resourceType": "ValueSet", "compose": {"include": includes}}
        (tmp_path / f"ValueSet-{name}.json").write_text(json.dumps(value_set))
    made = tmp_path / "made"
    made.mkdir()
    terminology.write(tmp_path, made)
    assert [path.name for path in made.glob("ValueSet-*")] == ["ValueSet-a.json"]
    (listed,) = json.loads((made / "ValueSet-a.json").read_text())["compose"]["include"]
    codes = {concept["code"] for concept in listed["concept"]}
    assert {"150020", "8417864"} <= codes
    assert "65573" not in codes  # of partition 1
