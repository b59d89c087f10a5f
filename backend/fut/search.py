"""Looking at FUT for an Observation that was sent; pure."""

from collections.abc import Mapping
from datetime import UTC, datetime

from backend.fut.order import bare
from backend.fut.projection import Sought
from backend.onward_answer import Answer
from backend.onward_json import Json, part, parts, word


def query(sought: Sought, episode: str) -> Mapping[str, str]:
    return {
        "patient": sought.patient,
        "code": sought.code,
        "date": sought.moment.astimezone(UTC).strftime("eq%Y-%m-%dT%H:%M:%SZ"),
        "based-on": sought.based_on,
        "episodeOfCare": episode,
    }


def found(answer: Answer, sought: Sought) -> list[Json] | None:
    """The entries of the answer that are it. None: it is no answer to a search."""
    body = answer.body
    if not answer.good or body is None or word(body, "type") != "searchset":
        return None
    return [entry for entry in parts(body, "entry") if _is(part(entry, "resource"), sought)]


def _is(observation: Json, sought: Sought) -> bool:
    """By our identifier; or, as FUT may drop that, by its code, moment and order.

    Nobody measures the same twice within one second.
    """
    if word(observation, "resourceType") != "Observation":
        return False
    if any(word(each, "value") == sought.identifier for each in parts(observation, "identifier")):
        return True
    codings = parts(part(observation, "code"), "coding")
    pairs = {f"{word(each, 'system')}|{word(each, 'code')}" for each in codings}
    orders = {bare(word(each, "reference")) for each in parts(observation, "basedOn")}
    return (
        sought.code in pairs
        and bare(sought.based_on) in orders
        and _moment(observation) == sought.moment.replace(microsecond=0)
    )


def _moment(observation: Json) -> datetime | None:
    period = part(observation, "effectivePeriod")
    written = word(observation, "effectiveDateTime") or word(period, "start")
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found.replace(microsecond=0) if found.tzinfo else None
