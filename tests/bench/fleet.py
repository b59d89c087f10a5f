"""What a million gateways do to a broker after an outage, in virtual time; draws docs/fleet.svg."""

from collections.abc import Sequence
from pathlib import Path

from tests.bench.rows import Row, percentile
from tests.fleet.fleet import Broker, Course, fixed, jittered
from tests.fleet.plot import plot

FLEET = 1_000_000
PEOPLE_A_MINUTE = 7_000  # ten readings a day in each home
NAIVE_S = 5
HALF_AN_HOUR_S = 1800
GOODBYE = 0x8B  # server shutting down
BROKERS = {
    "30 min, 1,000/s": Broker(HALF_AN_HOUR_S, 1000, 1000),
    "30 min, 500/s": Broker(HALF_AN_HOUR_S, 500, 500),
    "30 min, 3,000/s": Broker(HALF_AN_HOUR_S, 3000, 3000),
    "10 s, 1,000/s": Broker(10, 1000, 1000),
    "10 s, 1,000/s, with 0x8B": Broker(10, 1000, 1000, GOODBYE),
}
PLOTTED = "30 min, 1,000/s"
PICTURE = Path(__file__).parents[2] / "docs" / "fleet.svg"
MINUTES = 60


async def fleet() -> Sequence[Row]:
    rows: list[Row] = []
    for name, broker in BROKERS.items():
        ours = jittered(FLEET, broker, PEOPLE_A_MINUTE)
        naive = fixed(FLEET, broker, NAIVE_S)
        rows += _rows(name, ours, naive)
        if name == PLOTTED:
            courses = {"hjemgate": ours, f"every {NAIVE_S} s": naive}
            PICTURE.write_text(plot(courses, MINUTES), "utf-8")
    return rows


def _rows(name: str, ours: Course, naive: Course) -> Sequence[Row]:
    return [
        Row(f"{name}: worst second", "tries", ours.peak, bare=naive.peak),
        Row("  worst second once it is back", "tries", ours.peak_back, bare=naive.peak_back),
        Row("  tries of each gateway", "", ours.tries_each, bare=naive.tries_each),
        *(
            Row(
                f"  {share:.0%} are back after",
                "s",
                ours.back_after(share),
                bare=naive.back_after(share),
            )
            for share in (0.5, 0.99, 1.0)
        ),
        *(
            Row(f"  who measures now waits, p{percent}", "s", percentile(ours.waits, percent))
            for percent in (50, 90)
        ),
    ]
