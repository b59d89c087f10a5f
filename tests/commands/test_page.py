"""The page of the commands, held against the code."""

import re
from pathlib import Path

import pytest

from gateway.answers import Answers
from gateway.cli import ADDED, VERBS, main
from gateway.commands import command
from tests.control.desk import Desk

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")


def test_every_verb_has_its_heading() -> None:
    headed = re.findall(r"hjemgate ([\w-]+)", "\n".join(re.findall(r"^## .*$", PAGE, re.MULTILINE)))
    assert sorted(headed) == sorted([*VERBS, *ADDED])


def test_every_exit_code_is_listed() -> None:
    codes = {value for value in vars(command).values() if type(value) is int}
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert listed == codes


@pytest.mark.parametrize("words", [[verb] for verb in VERBS])
def test_every_option_is_on_the_page(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main([*words, "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert {option for option in options if option not in PAGE} == set()


def test_every_question_of_the_socket_is_on_the_page(desk: Desk) -> None:
    answers = desk.control._answers
    assert isinstance(answers, Answers)
    asked = [*answers._known, *desk.control.streams]
    assert {do for do in asked if f"`{do}`" not in PAGE} == set()
