"""What single frames say: the cases that recorded octets do not show."""

from datetime import datetime

import pytest

from drivers.api import Absent, DecodeError, Kind, Reading
from drivers.codec import plain
from drivers.push import Decoder
from drivers.sig_blood_pressure import intermediate
from drivers.sig_blood_pressure import measurement as blood_pressure
from drivers.sig_glucose_frames import context
from drivers.sig_glucose_frames import measurement as glucose
from drivers.sig_pulse_oximeter import measurement as oximeter
from drivers.sig_thermometer import measurement as thermometer
from drivers.sig_weight_scale import measurement as weight

GLUCOSE_AT_NOON = "0700e8070105" + "0c0000"  # sequence 7, base time 2024-01-05T12:00:00


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def numbers(reading: Reading) -> dict[Kind, str]:
    return {v.kind: f"{plain(v.number)} {v.unit}" for v in reading.values if v.number is not None}


def absents(reading: Reading) -> dict[Kind, Absent | None]:
    return {v.kind: v.absent for v in reading.values if v.number is None}


def codes(reading: Reading) -> dict[str, str]:
    return {code.system: code.code for code in reading.codes}


def test_reserved_flags_of_a_cuff_are_ignored() -> None:
    assert numbers(blood_pressure(octets("e0 7900 5100 5d00")))[Kind.SYSTOLIC] == "121 mm[Hg]"


def test_reserved_status_bits_of_a_cuff_are_ignored() -> None:
    assert blood_pressure(octets("10 7900 5100 5d00 c4ff")).flags == ("irregular-pulse",)


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        ("0100", ("body-movement",)),
        ("0200", ("cuff-too-loose",)),
        ("0800", ("pulse-rate-exceeds-upper-limit",)),
        ("1000", ("pulse-rate-less-than-lower-limit",)),
        ("1800", ()),
        ("2000", ("improper-measurement-position",)),
        ("2800", ("pulse-rate-exceeds-upper-limit", "improper-measurement-position")),
    ],
)
def test_status_of_a_cuff(status: str, flags: tuple[str, ...]) -> None:
    assert blood_pressure(octets("10 7900 5100 5d00" + status)).flags == flags


@pytest.mark.parametrize(("user", "known"), [("00", 0), ("fe", 254), ("ff", None)])
def test_an_unknown_user_is_nobody(user: str, known: int | None) -> None:
    assert blood_pressure(octets("08 7900 5100 5d00" + user)).user == known
    assert weight(octets("04 803e" + user)).user == known


def test_a_mean_that_was_not_measured_has_a_reason() -> None:
    reading = blood_pressure(octets("00 7900 5100 ff07"))
    assert absents(reading) == {Kind.MEAN_PRESSURE: Absent.NOT_A_NUMBER}
    assert len(numbers(reading)) == 2


@pytest.mark.parametrize(
    ("read", "frame"),
    [
        (blood_pressure, "00 7900 5100 5d00"),
        (intermediate, "00 8000 ff07 ff07"),
        (weight, "00 803e"),
        (thermometer, "00 720100ff"),
        (oximeter, "00 6200 4e00"),
        (glucose, "00" + GLUCOSE_AT_NOON),
        (context, "80 0500 00"),
    ],
)
def test_octets_that_no_flag_announces_are_refused(read: Decoder, frame: str) -> None:
    assert read(octets(frame)).trailing == b""
    size = len(octets(frame))
    with pytest.raises(DecodeError, match=f"need {size} octets, got {size + 1}: no flag announces"):
        read(octets(frame + "00"))


@pytest.mark.parametrize(
    ("read", "frame"),
    [
        (weight, "10 803e"),
        (thermometer, "08 720100ff"),
        (oximeter, "20 6200 4e00"),
        (glucose, "20" + GLUCOSE_AT_NOON),
        (context, "80 0500 01"),
    ],
)
def test_octets_that_a_reserved_flag_announces_are_kept(read: Decoder, frame: str) -> None:
    assert read(octets(frame + "beef")).trailing == octets("beef")


def test_the_reserved_flags_of_a_cuff_announce_nothing_as_cuffs_set_them_without_a_meaning() -> (
    None
):
    with pytest.raises(DecodeError, match="need 7 octets, got 9"):
        blood_pressure(octets("e0 7900 5100 5d00 beef"))


def test_an_intermediate_cuff_pressure_is_marked_and_is_no_systolic() -> None:
    reading = intermediate(octets("11 8000 ff07 ff07 0400"))
    assert numbers(reading) == {Kind.CUFF_PRESSURE: "128 kPa"}
    assert reading.flags == ("intermediate", "irregular-pulse")


def test_a_weight_in_pounds_and_a_height_in_inches() -> None:
    assert numbers(weight(octets("09 9065 ee00 b602"))) == {
        Kind.BODY_WEIGHT: "260.00 [lb_av]",
        Kind.BMI: "23.8 kg/m2",
        Kind.BODY_HEIGHT: "69.4 [in_i]",
    }


@pytest.mark.parametrize("unit", ["00", "01"], ids=["kg", "lb"])
@pytest.mark.parametrize("count", ["ffff", "0000"])
def test_a_failed_weighing_has_a_reason_and_nobody_weighs_nothing(unit: str, count: str) -> None:
    assert absents(weight(octets(unit + count))) == {Kind.BODY_WEIGHT: Absent.UNSUCCESSFUL}


@pytest.mark.parametrize("unit", ["08", "09"], ids=["metric", "imperial"])
@pytest.mark.parametrize("count", ["ffff", "0000"])
def test_a_scale_that_was_not_told_a_height_knows_neither_it_nor_the_bmi(
    unit: str, count: str
) -> None:
    unknown = {Kind.BMI: Absent.UNKNOWN, Kind.BODY_HEIGHT: Absent.UNKNOWN}
    assert absents(weight(octets(f"{unit} 803e {count} {count}"))) == unknown


def test_the_flag_that_one_maker_uses_for_below_zero_is_reserved() -> None:
    assert numbers(weight(octets("10 c800"))) == {Kind.BODY_WEIGHT: "1.000 kg"}


def test_a_temperature_in_fahrenheit_and_where_it_was_taken() -> None:
    reading = thermometer(octets("05 da0300ff 09"))
    assert numbers(reading) == {Kind.BODY_TEMPERATURE: "98.6 [degF]"}
    assert codes(reading) == {"temperature-type": "tympanum"}


def test_a_number_without_a_name_is_reserved() -> None:
    assert codes(thermometer(octets("04 720100ff 0a"))) == {"temperature-type": "reserved-10"}


def test_an_oximeter_whose_clock_was_never_set_gives_no_time() -> None:
    reading = oximeter(octets("11 6200 4e00 e1070101000000"))
    assert (reading.taken_at, reading.taken_at_raw) == (None, octets("e1070101000000"))
    assert reading.flags == ("device-clock-not-set",)


def test_an_oximeter_names_every_status_bit_that_is_not_reserved() -> None:
    reading = oximeter(octets("06 6200 4e00 ffff ffffff"))
    assert len(reading.flags) == 11 + 16


def test_an_oximeter_gives_the_perfusion_it_measured_or_the_reason() -> None:
    assert absents(oximeter(octets("08 6200 fe07 ff07"))) == {
        Kind.PULSE_RATE: Absent.POSITIVE_INFINITY,
        Kind.PULSE_AMPLITUDE_INDEX: Absent.NOT_A_NUMBER,
    }


@pytest.mark.parametrize(
    ("offset", "taken_at"),
    [("f401", "2024-01-05T20:20:00"), ("0cfe", "2024-01-05T03:40:00")],
    ids=["500 min", "-500 min"],
)
def test_user_time_is_base_time_plus_offset(offset: str, taken_at: str) -> None:
    reading = glucose(octets("01" + GLUCOSE_AT_NOON + offset))
    assert reading.taken_at == datetime.fromisoformat(taken_at)


@pytest.mark.parametrize("offset", ["ff7f", "0080"], ids=["overrun", "underrun"])
def test_an_offset_that_could_not_be_told_leaves_the_time_unknown(offset: str) -> None:
    reading = glucose(octets("01" + GLUCOSE_AT_NOON + offset))
    assert (reading.taken_at, reading.flags) == (None, ("time-offset-unknown",))
    assert reading.taken_at_raw == octets("e80701050c0000")


def test_an_offset_past_the_end_of_the_calendar_leaves_the_time_unknown() -> None:
    reading = glucose(octets("01 0700 0f270c1f173b3b 0100"))
    assert (reading.taken_at, reading.taken_at_raw) == (None, octets("0f270c1f173b3b"))


@pytest.mark.parametrize(
    ("flags", "word", "number"),
    [
        ("02", "7ab0", "122 mg/dL"),
        ("06", "41c0", "6.5 mmol/L"),
        ("02", "fbcf", "-50 mg/dL"),
        ("02", "7b00", "12300000 mg/dL"),
    ],
)
def test_concentration_moves_its_exponent_and_nothing_else(
    flags: str, word: str, number: str
) -> None:
    reading = glucose(octets(flags + GLUCOSE_AT_NOON + word + "11"))
    assert numbers(reading) == {Kind.GLUCOSE: number}


@pytest.mark.parametrize(
    ("word", "absent"),
    [("fe07", Absent.POSITIVE_INFINITY), ("0208", Absent.NEGATIVE_INFINITY)],
    ids=["HI", "LO"],
)
def test_a_result_beyond_the_meters_range_has_a_direction(word: str, absent: Absent) -> None:
    reading = glucose(octets("02" + GLUCOSE_AT_NOON + word + "11"))
    assert absents(reading) == {Kind.GLUCOSE: absent}


@pytest.mark.parametrize("type_location", ["1a", "41"], ids=["type", "location"])
def test_control_solution_is_marked_wherever_the_meter_says_it(type_location: str) -> None:
    reading = glucose(octets("02" + GLUCOSE_AT_NOON + "7ab0" + type_location))
    assert reading.flags == ("control-solution",)


def test_a_record_without_a_concentration_has_no_value_and_keeps_its_status() -> None:
    reading = glucose(octets("08" + GLUCOSE_AT_NOON + "00f8"))
    assert (reading.values, reading.codes, reading.flags) == ((), (), ("time-fault",))


def test_a_context_with_every_field_says_every_code_and_is_read_to_its_end() -> None:
    reading = context(octets("ff 0500 01 01 3cd0 06 f3 ffff 32 04 0af0 48f0 aa"))
    assert codes(reading) == {
        "carbohydrate": "breakfast",
        "meal": "reserved-6",
        "tester": "lab-test",
        "health": "not-available",
        "medication": "long-acting-insulin",
    }
    assert (reading.sequence, reading.trailing) == (5, b"\xaa")


@pytest.mark.parametrize("word", ["0000", "f6ff"], ids=["0", "-10"])
def test_no_person_has_a_pressure_or_a_pulse_of_0_or_less(word: str) -> None:
    reading = blood_pressure(octets("04 7900 5100" + word + word))
    assert numbers(reading) == {Kind.SYSTOLIC: "121 mm[Hg]", Kind.DIASTOLIC: "81 mm[Hg]"}
    assert absents(reading) == dict.fromkeys((Kind.MEAN_PRESSURE, Kind.PULSE_RATE), Absent.UNKNOWN)
