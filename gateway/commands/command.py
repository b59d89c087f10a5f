"""What every verb has in common: its shape, its exit codes, its way of failing in one line."""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

OK = 0
FAILED = 1  # or: something needs attention
USAGE = 64  # the numbers from here on are those of sysexits.h
REFUSED = 65
UNAVAILABLE = 69
CONFIG = 78
INTERRUPTED = 130  # what a shell makes of SIGINT


@dataclass(frozen=True, slots=True)
class Command:
    """One verb. `text` is what its --help says above the arguments, `example` what it ends with.

    The demonstrations of a checkout have `help` alone, which then stands for `text`.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    text: str = ""
    example: str = ""


class Failure(Exception):
    """Foreseeable trouble: one line for people, and the exit code that says of which sort."""

    def __init__(self, words: str, code: int = FAILED) -> None:
        super().__init__(words)
        self.code = code


def fail(words: str, code: int = FAILED) -> NoReturn:
    raise Failure(words, code)


def print_json(facts: Mapping[str, object] | list[object]) -> None:
    """Facts for programs: one JSON text, keys in the order given."""
    print(json.dumps(facts, indent=2, ensure_ascii=False))
