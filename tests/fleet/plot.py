"""A small SVG: two courses above each other, tries a second and the share that is connected."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from tests.fleet.fleet import MINUTE_S, Course

NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'
WIDTH, LEFT, RIGHT = 720, 70, 20
PANEL, GAP, TOP = 180, 50, 40
INK, GRID = "#333", "#ddd"
DASHED = 'stroke="#999" stroke-dasharray="4 3"'
COLOURS = ("#0a5ea8", "#c23b22", "#2f855a")
STEP_S = 10  # one point for so many seconds: their worst
DECADES = range(1, 7)  # tries a second: 10 to 1,000,000

Place = Callable[[float], float]


def plot(courses: Mapping[str, Course], minutes: int) -> str:
    """The SVG text; *courses* by their names, cut after *minutes*."""
    away_s = next(iter(courses.values())).away_s
    upper, lower = TOP, TOP + PANEL + GAP

    def x(second: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * second / (minutes * MINUTE_S)

    def rate(tries: float) -> float:
        span = DECADES[-1] - DECADES[0]
        share = (math.log10(max(tries, 10 ** DECADES[0])) - DECADES[0]) / span
        return upper + PANEL * (1 - share)

    def share(percent: float) -> float:
        return lower + PANEL * (1 - percent / 100)

    height = lower + PANEL + 40
    parts = [
        f'<svg {NAMESPACE} viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        *(_level(rate(10**power), f"{10**power:,}") for power in DECADES),
        *(_level(share(percent), f"{percent} %") for percent in range(0, 101, 25)),
        _text(LEFT, upper - 8, "connection attempts a second"),
        _text(LEFT, lower - 8, "of the fleet, connected"),
        f'<path d="M{x(away_s):.1f} {upper}V{lower + PANEL}" {DASHED}/>',
        _text(x(away_s) + 4, lower + 14, "the broker is back"),
        *(
            _text(x(minute * MINUTE_S), lower + PANEL + 16, f"{minute}", "middle")
            for minute in range(0, minutes + 1, 10)
        ),
        _text((WIDTH + LEFT - RIGHT) / 2, height - 6, "minutes since the loss", "middle"),
    ]
    for number, (name, course) in enumerate(courses.items()):
        colour = COLOURS[number]
        percent = [100 * each / course.gateways for each in course.connected()]
        seconds = minutes * MINUTE_S
        parts += [
            _line(_worst(course.tries[:seconds]), x, rate, colour),
            _line(_worst(percent[:seconds]), x, share, colour),
            _text(WIDTH - RIGHT, 14 + 13 * number, name, "end", colour),
        ]
    return "\n".join([*parts, "</svg>", ""])


def _worst(values: Sequence[float]) -> Iterable[tuple[int, float]]:
    return ((at, max(values[at : at + STEP_S])) for at in range(0, len(values), STEP_S))


def _line(points: Iterable[tuple[int, float]], x: Place, y: Place, colour: str) -> str:
    path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _level(y: float, label: str) -> str:
    line = f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>'
    return line + _text(LEFT - 6, y + 4, label, "end")


def _text(x: float, y: float, words: str, anchor: str = "start", colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'
