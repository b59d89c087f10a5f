"""The arithmetic of the table; what is measured is no test's business."""

import json

from tests.bench.gateway import STRACE_COUNT
from tests.bench.rows import Row, as_json, as_table, percentile, series


def test_a_percentile_is_a_value_that_was_seen() -> None:
    values = [float(n) for n in range(1, 201)]
    assert (percentile(values, 50), percentile(values, 99)) == (100.0, 198.0)


def test_the_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 99) == 7.0


def test_the_aim_of_a_series_is_held_against_its_p99() -> None:
    assert series("commit", "ms", [1.0, 30.0], aim=20.0).missed


def test_a_figure_without_a_bare_script_has_no_ratio() -> None:
    assert Row("memory", "MiB", value=50.0).ratio is None


def test_the_table_shows_ratio_and_missed_aim() -> None:
    lines = as_table([Row("memory", "MiB", value=90.0, bare=45.0, aim=75.0)]).splitlines()
    assert lines[1].split() == ["memory", "90", "MiB", "45", "2.00x", "75", "missed"]


def test_a_line_of_json_bears_everything() -> None:
    (line,) = as_json("memory", [Row("idle", "MiB", value=50.0, bare=25.0)])
    assert json.loads(line) == {
        "benchmark": "memory",
        "figure": "idle",
        "unit": "MiB",
        "value": 50.0,
        "p50": None,
        "p99": None,
        "bare": 25.0,
        "aim": None,
        "ratio": 2.0,
        "missed": False,
    }


def test_the_calls_in_a_summary_of_strace_are_found() -> None:
    summary = (
        "% time     seconds  usecs/call     calls    errors syscall\n"
        "------ ----------- ----------- --------- --------- ----------------\n"
        " 90.00    0.001000          12        83           fdatasync\n"
        " 10.00    0.000100          10         7         1 fsync\n"
        "------ ----------- ----------- --------- --------- ----------------\n"
        "100.00    0.001100          12        90         1 total\n"
    )
    assert STRACE_COUNT.findall(summary) == ["83", "7"]
