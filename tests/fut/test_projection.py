"""What of a reading goes to FUT, under which code, and to which place in the care plan."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from backend.fut.elements import GATEWAY, own
from backend.fut.measured import NotForFut, Rules, measured, patient_of
from backend.fut.people import Person
from backend.fut.plan import read
from backend.fut.projection import Projection, project
from backend.onward_json import parsed
from drivers.api import Kind, Reading
from gateway.model import Record
from tests.fhir import records
from tests.fut import plans
from tests.fut.plans import PERSON, Row, plan, reading, slot

OTHER_EPISODE = "https://careplan.fut.example/fhir/EpisodeOfCare/3002"


def projected(
    what: str | Record, *rows: Row, rules: Rules | None = None, person: Person = PERSON
) -> Projection:
    return project(reading(what, rules), plan(*rows), person)


def observations(projection: Projection) -> list[Any]:
    return [
        entry["resource"]
        for submission in projection.submissions
        for entry in submission.parameters["parameter"][0]["resource"]["entry"]
    ]


def only(projection: Projection) -> Any:
    (found,) = observations(projection)
    return found


def told(observation: Any) -> tuple[str, Any, str]:
    """Its first code, its number and unit."""
    quantity = observation["valueQuantity"]
    return observation["code"]["coding"][0]["code"], quantity["value"], quantity["code"]


def timing(observation: Any) -> dict[str, Any]:
    (extension,) = (e for e in observation["extension"] if "resolved-timing" in e["url"])
    parts = {part["url"]: part for part in extension["extension"]}
    found = {"type": parts["type"]["valueCodeableConcept"]["coding"][0]["code"]}
    found |= {k: parts[k]["valueDateTime"] for k in ("start", "end") if k in parts}
    return {**found, "version": parts["serviceRequestVersionId"]["valueId"]}


def bounded(start: str, end: str) -> dict[str, Any]:
    return {"occurrenceTiming": {"repeat": {"boundsPeriod": {"start": start, "end": end}}}}


def one(kind: Kind, digits: str, unit: str) -> Record:
    meter = records.GLUCOMETER if kind is Kind.GLUCOSE else records.SCALE
    return records.record(meter, Reading(values=(records.number(kind, digits, unit),)))


@pytest.mark.parametrize(
    ("what", "code", "expected"),
    [
        ("weight", plans.WEIGHT, ("NPU03804", Decimal("72.5"), "kg")),
        ("weight", plans.BMI, ("NPU27281", 23, "kg/m2")),
        ("weight", plans.HEIGHT, ("NPU03794", Decimal("1.770"), "m")),
        ("weight-pounds", plans.WEIGHT, ("NPU03804", Decimal("72.48"), "kg")),
        ("weight-pounds", plans.HEIGHT, ("NPU03794", Decimal("1.770"), "m")),
        ("temperature", plans.TEMPERATURE, ("NPU08676", Decimal("36.6"), "Cel")),
        ("temperature-fahrenheit", plans.TEMPERATURE, ("NPU08676", Decimal("36.6"), "Cel")),
        ("oximetry", plans.SATURATION, ("NPU03011", 97, "%")),
        ("oximetry", plans.PULSE, ("NPU21692", 61, "1/min")),
        ("blood-pressure", plans.PULSE, ("NPU21692", 60, "1/min")),
        ("glucose-fasting", plans.GLUCOSE, ("NPU02193", Decimal("6.10"), "mmol/L")),
    ],
)
def test_a_number_goes_under_the_code_of_its_order_in_the_unit_that_fut_wants(
    what: str, code: tuple[str, str], expected: object
) -> None:
    assert told(only(projected(what, Row(code)))) == expected


@pytest.mark.parametrize(("measured_bmi", "whole"), [("23.4", 23), ("22.5", 23), ("23.5", 24)])
def test_integers_are_rounded_half_up(measured_bmi: str, whole: int) -> None:
    found = only(projected(one(Kind.BMI, measured_bmi, "kg/m2"), Row(plans.BMI)))
    assert told(found)[1] == whole


def test_a_panel_order_gets_one_observation_with_two_components_and_no_mean() -> None:
    found = only(projected("blood-pressure", Row(plans.PANEL)))
    assert found["code"]["coding"][0]["code"] == "ZZ3170"
    assert [told(part) for part in found["component"]] == [
        ("DNK05472", 121, "mm[Hg]"),
        ("DNK05473", 81, "mm[Hg]"),
    ]


def test_two_orders_get_two_observations_each_based_on_its_own() -> None:
    rows = (Row(plans.SYSTOLIC, request="1"), Row(plans.DIASTOLIC, request="2"))
    found = observations(projected("blood-pressure", *rows))
    assert [(told(each)[0], each["basedOn"][0]["reference"][-2:]) for each in found] == [
        ("DNK05472", "/1"),
        ("DNK05473", "/2"),
    ]
    assert len({each["identifier"][0]["value"] for each in found}) == 2


def test_half_a_blood_pressure_is_not_sent() -> None:
    rows = (Row(plans.SYSTOLIC, request="1"), Row(plans.PULSE, request="2"))
    assert told(only(projected("blood-pressure", *rows)))[0] == "NPU21692"


def test_kilopascals_become_whole_millimetres_of_mercury() -> None:
    found = only(projected("blood-pressure-kpa-with-status", Row(plans.PANEL)))
    assert [told(part)[1] for part in found["component"]] == [121, 81]


def test_what_belongs_to_one_slot_is_one_call() -> None:
    rows = (
        slot(plans.PANEL, *plans.MORNING, request="1"),
        slot(plans.PULSE, *plans.MORNING, request="2"),
    )
    (submission,) = projected("blood-pressure", *rows).submissions
    assert len(submission.sought) == 2


def test_what_belongs_to_different_slots_or_episodes_is_two_calls() -> None:
    rows = (slot(plans.PANEL, *plans.MORNING, request="1"), Row(plans.PULSE, request="2"))
    assert len(projected("blood-pressure", *rows).submissions) == 2
    rows = (Row(plans.PANEL), Row(plans.PULSE, request="2", episode=OTHER_EPISODE))
    assert len(projected("blood-pressure", *rows).submissions) == 2


def test_the_slot_that_holds_the_moment_is_copied_as_fut_wrote_it() -> None:
    rows = (slot(plans.WEIGHT, *plans.EVENING), slot(plans.WEIGHT, *plans.MORNING))
    start, end = plans.MORNING
    assert timing(only(projected("weight", *rows))) == {
        "type": "Resolved",
        "start": start,
        "end": end,
        "version": "1",
    }


def test_a_slot_without_an_end_ends_where_it_starts() -> None:
    found = timing(only(projected("weight", slot(plans.WEIGHT, plans.MORNING[1]))))
    assert found["start"] == found["end"] == plans.MORNING[1]


@pytest.mark.parametrize("kind", ["Adhoc", "Unresolved", "Extra"])
def test_an_order_without_a_slot_has_neither_start_nor_end(kind: str) -> None:
    found = timing(only(projected("weight", Row(plans.WEIGHT, kind, version="7"))))
    assert found == {"type": kind, "version": "7"}


def test_outside_of_every_slot_an_extra_is_taken_before_a_slot_nearby() -> None:
    evening = slot(plans.WEIGHT, "2026-11-22T12:00:00+00:00", "2026-11-22T13:00:00+00:00")
    assert timing(only(projected("weight", evening)))["type"] == "Resolved"
    found = projected("weight", evening, Row(plans.WEIGHT, "Extra"))
    assert timing(only(found))["type"] == "Extra"


def test_far_from_every_slot_nothing_is_sent() -> None:
    with pytest.raises(NotForFut, match="at no time that the plan asks for"):
        projected("weight", slot(plans.WEIGHT, *plans.EVENING))


@pytest.mark.parametrize(
    "row",
    [
        Row(plans.WEIGHT, status="revoked"),
        Row(plans.WEIGHT, patient="https://patient.fut.example/fhir/Patient/2"),
        Row(plans.PULSE),
    ],
)
def test_without_an_active_order_of_this_person_nothing_is_sent(row: Row) -> None:
    with pytest.raises(NotForFut, match="no active ServiceRequest asks for it"):
        projected("weight", row)


def test_between_two_episodes_nobody_guesses() -> None:
    rows = (Row(plans.WEIGHT), Row(plans.WEIGHT, request="2", episode=OTHER_EPISODE))
    with pytest.raises(NotForFut, match="several episodes"):
        projected("weight", *rows)
    named = replace(PERSON, episodes=(OTHER_EPISODE,))
    assert OTHER_EPISODE in str(only(projected("weight", *rows, person=named)))


def test_it_says_whose_it_is_and_that_nobody_typed_it() -> None:
    found = only(projected("weight", Row(plans.WEIGHT)))
    assert found["subject"]["reference"] == plans.PATIENT
    assert found["performer"] == [{"reference": plans.PATIENT}]
    assert str(found).count("automatically-transferred") == 1
    assert found["status"] == "final"
    assert found["effectiveDateTime"] == "2026-11-22T08:30:20+01:00"
    assert "device" not in found


def test_a_meter_that_fut_knows_is_named() -> None:
    bundle = plans.bundle("weight")
    (meter,) = (
        entry["resource"]["identifier"][0]["value"]
        for entry in bundle["entry"]
        if entry["resource"].get("type", {}).get("coding", [{}])[0].get("code") == "65573"
    )
    url = "https://device.fut.example/fhir/Device/5001"
    known = replace(PERSON, devices={meter: url})
    found = only(projected("weight", Row(plans.WEIGHT), person=known))
    assert found["device"] == {"reference": url}


def test_a_gateway_that_fut_knows_is_named_beside_the_meter() -> None:
    gateway = next(
        own(entry["resource"])
        for entry in plans.bundle("weight")["entry"]
        if entry["resource"]["resourceType"] == "Device"
        and entry["resource"]["type"]["coding"][0]["code"] == "531981"
    )
    url = "https://device.fut.example/fhir/Device/7001"
    known = replace(PERSON, devices={str(gateway): url})
    found = only(project(plans.reading("weight"), plan(Row(plans.WEIGHT)), known))
    extensions = {each["url"]: each for each in found["extension"]}
    assert extensions[GATEWAY]["valueReference"] == {"reference": url}
    assert "device" not in found
    unknown = only(projected("weight", Row(plans.WEIGHT)))
    assert GATEWAY not in {each["url"] for each in unknown["extension"]}


# The readings are of 2026-11-22T08:30:20+01:00.
BEFORE, THEN, SINCE = "2026-11-01T00:00:00Z", "2026-11-22T07:00:00Z", "2026-11-22T09:00:00Z"


@pytest.mark.parametrize(
    "row",
    [
        Row(plans.WEIGHT, active=((SINCE, None),)),
        Row(plans.WEIGHT, active=((BEFORE, THEN), (SINCE, None))),
        slot(plans.WEIGHT, *plans.MORNING, active=((SINCE, None),)),
        Row(plans.WEIGHT, occurrence={"occurrencePeriod": {"start": SINCE}}),
        Row(plans.WEIGHT, "Extra", occurrence=bounded(SINCE, "2026-12-22T09:00:00Z")),
        Row(plans.WEIGHT, "Unresolved", occurrence=bounded(BEFORE, THEN)),
    ],
)
def test_an_order_that_did_not_ask_for_it_when_it_was_measured_gets_nothing(row: Row) -> None:
    with pytest.raises(NotForFut, match="when it was measured, no ServiceRequest"):
        projected("weight", row)


@pytest.mark.parametrize(
    "row",
    [
        Row(plans.WEIGHT, active=((BEFORE, None),)),
        Row(plans.WEIGHT, active=((BEFORE, THEN), (THEN, SINCE))),
        slot(plans.WEIGHT, *plans.MORNING, occurrence=bounded(BEFORE, THEN)),  # FUT made that slot
        Row(plans.WEIGHT, occurrence={"occurrencePeriod": {"start": "2026"}}),
        Row(plans.WEIGHT, occurrence={"occurrenceDateTime": SINCE}),
        Row(plans.WEIGHT, "Extra", occurrence=bounded(BEFORE, SINCE)),
    ],
)
def test_an_order_that_asked_for_it_then_gets_it(row: Row) -> None:
    assert only(projected("weight", row))


def test_of_two_orders_the_one_that_asked_for_it_then_gets_it() -> None:
    rows = (
        Row(plans.WEIGHT, request="1", active=((SINCE, None),)),
        Row(plans.WEIGHT, request="2", active=((BEFORE, None),)),
    )
    (order,) = only(projected("weight", *rows))["basedOn"]
    assert order["reference"].endswith("/2")


def test_what_the_definition_calls_an_order_goes_before_what_it_is_called_itself() -> None:
    row = Row(plans.PULSE)
    url = plans.definition_url(row, plans.PLAN)
    defined = {url: frozenset({plans.WEIGHT})}
    named = read(plans.answer([row]), plans.PATIENT, defined).activities
    assert [each.codes for each in named] == [{plans.WEIGHT}]
    for nothing in ({}, {url: frozenset[tuple[str, str]]()}):
        found = read(plans.answer([row]), plans.PATIENT, nothing).activities
        assert [each.codes for each in found] == [{plans.PULSE}]


def test_further_codings_follow_futs_own_and_can_be_left_away() -> None:
    found = only(projected("weight", Row(plans.WEIGHT)))["code"]["coding"]
    assert [each["code"] for each in found] == ["NPU03804", "188736", "29463-7"]
    strict = only(projected("weight", Row(plans.WEIGHT), rules=Rules(further_codings=False)))
    assert [each["code"] for each in strict["code"]["coding"]] == ["NPU03804"]


@pytest.mark.parametrize(
    ("what", "because"),
    [
        ("glucose", "nobody said that it was fasting"),
        ("glucose-with-context", "FUT has no code for it"),
        ("weight-unsuccessful", "no valid number"),
        ("oximetry-invalid", "neither final nor amended"),
        ("oximetry-unavailable-demonstration", "simulated"),
        ("temperature-toe", "FUT has no code for it"),
        ("blood-pressure-time-unknown", "when it was measured is not known"),
        ("blood-pressure-simulated-patient-entry", "simulated"),
    ],
)
def test_what_fut_cannot_take_is_never_sent(what: str, because: str) -> None:
    every = (plans.PANEL, plans.PULSE, plans.WEIGHT, plans.GLUCOSE, plans.TEMPERATURE)
    rows = [Row(code, request=str(n)) for n, code in enumerate((*every, plans.SATURATION))]
    with pytest.raises(NotForFut, match=because):
        projected(what, *rows)


def test_a_glucose_that_nobody_labelled_is_sent_only_where_the_clinic_wants_that() -> None:
    rules = Rules(unlabelled_glucose=True)
    assert told(only(projected("glucose", Row(plans.GLUCOSE), rules=rules)))[0] == "NPU02193"


def test_glucose_is_not_known_to_an_older_fut() -> None:
    with pytest.raises(NotForFut, match="no code"):
        projected("glucose-fasting", Row(plans.GLUCOSE), rules=Rules(version=8))


def edited(what: str, old: str, new: str) -> Any:
    """A Bundle with another text in it."""
    from backend.onward_json import octets  # noqa: PLC0415 -- for this alone

    body = octets(plans.bundle(what))
    assert old.encode() in body
    return parsed(body.replace(old.encode(), new.encode()))


@pytest.mark.parametrize(
    ("what", "old", "new", "because"),
    [
        ("glucose-fasting", '"160188"', '"160208"', "control solution"),
        ("weight", '"532226"', '"532224"', "clock was not synchronised"),
        ("weight", '"status":"final"', '"status":"entered-in-error"', "neither final nor amended"),
        ("weight", '"code":"kg"', '"code":"[stone_av]"', "cannot be turned into"),
    ],
)
def test_nor_is_what_a_strange_gateway_sends(what: str, old: str, new: str, because: str) -> None:
    with pytest.raises(NotForFut, match=because):
        project(measured(edited(what, old, new), Rules()), plan(Row(plans.WEIGHT)), PERSON)


@pytest.mark.parametrize("what", ["weight", "blood-pressure-simulated-patient-entry"])
def test_a_person_is_known_by_the_identifier_that_the_gateway_was_given(what: str) -> None:
    assert patient_of(plans.bundle(what)) == plans.CITIZEN


def test_two_persons_in_one_bundle_are_nobody() -> None:
    bundle = edited("weight", "7d0c6a52", "7d0c6a52")
    observation = [e["resource"] for e in bundle["entry"] if "ubject" in str(e)][-1]
    observation["subject"] = {"reference": "Patient/2"}
    with pytest.raises(NotForFut, match="one and the same person"):
        patient_of(bundle)


def test_what_fut_has_already_is_not_sent_again() -> None:
    rows = (Row(plans.PANEL), Row(plans.PULSE, request="2"))
    first = projected("blood-pressure", *rows)
    known = frozenset(s.identifier for each in first.submissions for s in each.sought)
    assert project(reading("blood-pressure"), plan(*rows), PERSON, known).submissions == ()


def test_what_is_left_out_is_named_without_its_value() -> None:
    found = projected("blood-pressure", Row(plans.PANEL))
    assert found.left_out == ("NPU21692: no active ServiceRequest asks for it",)


def test_a_context_that_points_nowhere_is_nobodys_word() -> None:
    bundle = plans.bundle("glucose-fasting")
    (context,) = (e["resource"] for e in bundle["entry"] if "derivedFrom" in e["resource"])
    context["derivedFrom"] = [{"display": "a glucose"}]
    assert len(measured(bundle, Rules()).measurements) == 1  # its own code says fasting
