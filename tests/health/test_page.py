"""The page of health, held against the code."""

import re
from pathlib import Path

import gateway
from gateway.health import Health
from gateway.words import TRACED

PAGE = (Path(__file__).parents[2] / "docs" / "health.md").read_text(encoding="utf-8")
SOURCES = [path.read_text(encoding="utf-8") for path in Path(gateway.__path__[0]).rglob("*.py")]


def found(pattern: str) -> set[str]:
    return {each for text in SOURCES for each in re.findall(pattern, text)}


def test_every_condition_is_on_the_page_and_no_other() -> None:
    section = PAGE.split("## Conditions")[1].split("## Counters")[0]
    listed = set(re.findall(r"^\| `([a-z-]+)(?:/\.\.)?` \|", section, re.MULTILINE))
    assert listed == found(r'\bid=f?"([a-z-]+)(?:/\{short\})?",')


async def test_every_counter_of_the_process_is_on_the_page(health: Health) -> None:
    counters = (await health.document()).counters
    assert {name for name in counters if f"`{name}`" not in PAGE} == set()


def test_every_step_of_a_journey_is_on_the_page() -> None:
    noted = found(r'\.note\([^)]*?to_us\([^)]*\), "([a-z]+)"')
    assert {"rendered", "replayed", "untaken", "salvaged"} <= noted
    assert {step for step in noted | set(TRACED) if f"`{step}`" not in PAGE} == set()
