"""`hjemgate status`: one look, for a technician."""

import argparse
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from gateway.commands import talk
from gateway.commands.command import FAILED, OK, Command, print_json
from gateway.commands.tables import count, print_table, since, when
from gateway.commands.talk import Facts
from gateway.words import ago, meter


def _run(args: argparse.Namespace) -> int:
    answer = talk.ask(args, "status")
    status: Facts = answer["status"]
    if args.json:
        print_json(status | {"last_receipt": answer["last_receipt"]})
    else:
        _print(answer, status)
    return FAILED if status["conditions"] else OK


def _print(answer: Facts, status: Facts) -> None:
    zone = ZoneInfo(answer["zone"])
    for name, words in _lines(answer, status, zone):
        print(f"{name + ':':16}{words}")
    if status["devices"]:
        print()
        _meters(status["devices"], zone)
    print()
    for condition in status["conditions"]:
        print(f"! {condition['text']}")
    if not status["conditions"]:
        print("Nothing needs anybody.")


def _lines(answer: Facts, status: Facts, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    rows, clock, outbox = status["rows"], status["clock"], status["outbox"]
    yield "gateway", f"{status['gateway']}, version {status['version']}"
    yield "broker", _line_words(status["uplink"], zone)
    yield "last taken", since(status["uplink"]["last_puback_at"])
    yield "on their way", _waiting(rows) + _oldest(status["oldest_unreceipted"])
    yield "last confirmed", since(answer["last_receipt"])
    yield "need a word", f"{rows['held']} held, {rows['parked']} parked"
    yield "radio", _radio(status["radio"])
    yield "clock", f"right ({clock['source']})" if clock["trusted"] else "not set yet"
    yield "outbox", _outbox(outbox)


def _line_words(uplink: Facts, zone: ZoneInfo) -> str:
    if uplink["connected_at"] is not None:
        return f"online since {when(uplink['connected_at'], zone)}"
    why = f": {uplink['last_error']}" if uplink["last_error"] else ""
    return f"not connected{why}"


def _waiting(rows: Facts) -> str:
    waiting, sent = rows["captured"] + rows["pending"], rows["published"]
    if not waiting and not sent:
        return "nothing"
    return f"{waiting} not sent yet, {sent} sent and not confirmed yet"


def _oldest(oldest: Facts | None) -> str:
    if oldest is None:
        return ""
    return f"; the oldest is number {oldest['seq']}, {ago(timedelta(seconds=oldest['age_s']))}"


def _outbox(outbox: Facts) -> str:
    taken = f"{outbox['bytes'] / 2**20:.1f} of {outbox['quota'] / 2**20:.0f} MiB"
    idle_s = outbox["last_commit_ago_s"]
    written = "never since the start" if idle_s is None else ago(timedelta(seconds=idle_s))
    return f"{taken}, last written {written}"


def _radio(radio: Facts) -> str:
    if not radio["scanning"]:
        return "does not listen"
    heard = radio["heard_ago_s"]
    ear = "nothing heard yet" if heard is None else f"heard something {heard:.0f} s ago"
    links = count(radio["links"], "meter", "meters")
    return f"listens, {ear}; connected to {links}"


def _meters(devices: list[Facts], zone: ZoneInfo) -> None:
    heads = ("METER", "ADDRESS", "BATTERY", "PAIRED", "LAST HEARD", "LAST READING")
    rows = [
        (
            meter(device["driver"]),
            f"..{device['device']}",
            "-" if device["battery"] is None else f"{device['battery']} %",
            {"bonded": "yes", "missing": "no", "none": "not needed"}[device["bond"]],
            since(device["last_session"]),
            when(device["last_reading"], zone),
        )
        for device in devices
    ]
    print_table(heads, rows)


STATUS = Command(
    "status",
    "is it well? What waits, and what needs somebody",
    talk.add_arguments,
    _run,
    """\
Shows how the gateway is: its connection, what is on its way, its meters. What
needs somebody stands at the end with ! and says what to do; exit code 1 then.
--json prints the same document that goes to the backend.""",
    "example: hjemgate status",
)
