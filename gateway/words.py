"""What happens to readings, in plain words: no jargon, no values, no persons. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from drivers.registry import all_drivers
from gateway.outbox.trail import Step

METERS = {  # by specialization
    "blood-pressure": "blood pressure",
    "glucose": "blood sugar",
    "weight": "weight",
    "thermometer": "temperature",
    "pulse-oximeter": "oxygen",
    "generic": "meter",
}
WIDTH = max(len(name) for name in METERS.values())

# Steps of a journey: what to say; {} is the step's detail.
STEPS = {
    "kept": "received from the meter",
    "stored": "stored",
    "repeat": "sent again by the meter; it was stored already",
    "amended": "corrected by the meter; goes out again",
    "held": "kept, waits for a technician: {}",
    "ignored": "not forwarded: {}",
    "parked": "set aside for a technician: {}",
    "published": "sent",
    "unheard": "sent, but nobody listens at the other end yet; goes out again",
    "replayed": "goes out again, as the receiver has asked or a technician has said",
    "withdrawn": "withdrawn: goes out again, as entered in error",
    "restored": "put back in force; goes out again",
    "received": "confirmed by {}",
    "delivered": "the care team can see it",
    "undeliverable": "confirmed, but it did not reach the care team",
    "bound": "meter belongs to this home now",
    "forgotten": "meter forgotten",
    "released": "released by a technician",
    "assigned": "given its person by a technician",
    "discarded": "discarded by a technician",
}
SENT_WITHOUT_RECEIPT = "handed over; nobody confirms here"  # receipts = false


# The same steps, and those that are of no concern while one watches, for whoever traces a reading.
TRACED = STEPS | {
    "connected": "connected to the meter",
    "heard": "received from the meter, on disk",
    "heard again": "received from the meter again, on disk",
    "stored": "decoded, its person and its time settled",
    "held": "decoded; kept, waits for a technician: {}",
    "ignored": "decoded; not forwarded: {}",
    "rendered": "made into a message, number {}",
    "sent": "sent to the broker",
    "published": "taken by the broker",
    "unheard": "taken by the broker; nobody listened",
    "untaken": "not taken by the broker: {}",
    "receipt": "receipt: {}",
    "received": "done: every receiver that must has confirmed it (last: {})",
}
UNTRUSTED = " (by the gateway's own clock, which was not set)"


def traced(step: str, detail: str) -> str:
    """One step of a reading's journey in words; a step that a later version took as it stands."""
    if step == "received" and not detail:
        return "done"
    if detail == "untrusted":
        return TRACED.get(step, step) + UNTRUSTED
    return TRACED.get(step, f"{step}: {{}}").format(detail).removesuffix(": ")


def sentence(step: Step) -> str | None:
    """`blood pressure  confirmed by care-team`; None for a step that is nobody's business."""
    told = STEPS.get(step.step)
    if told is None:
        return None
    if step.step == "received" and not step.detail:
        told = SENT_WITHOUT_RECEIPT
    told = told.format(step.detail).removesuffix(": ")
    return f"{meter(step.driver):{WIDTH}}  {told}"


def line(step: Step, zone: ZoneInfo) -> str | None:
    """The same with its time of day in front: `08:12:03  blood pressure  stored`."""
    told = sentence(step)
    return None if told is None else f"{step.at.astimezone(zone):%H:%M:%S}  {told}"


def meter(driver: str | None) -> str:
    """What a meter of this driver measures."""
    found = None if driver is None else all_drivers().get(driver)
    return METERS["generic" if found is None else found.specialization]


def shortened(address: str) -> str:
    """The last two octets of a Bluetooth address: enough to tell the meters of a home apart."""
    return address[-5:]


def ago(span: timedelta) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `2 days ago`."""
    minutes = span // timedelta(minutes=1)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    hours = minutes // 60
    return f"{hours} h ago" if hours < 48 else f"{hours // 24} days ago"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """`2026-11-25 08:12`, by the clock on the wall."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
