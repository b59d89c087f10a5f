"""What `hjemgate-receiver` says of a store: for people, or as JSON for programs."""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from backend.store import Database, asks, looks, open_database, parties
from backend.store.asks import Answer, Wanted
from backend.store.looks import Missing, Overview
from backend.store.parties import Standing
from backend.terminal import say

OK, ATTENTION, USAGE, UNAVAILABLE, CONFIG, INTERRUPTED = 0, 1, 64, 69, 78, 130

LOOK_S = 0.2
NO_ANSWER = (
    "No answer yet; the order stays in the store. It is sent by a receiver that runs with"
    " --fleet-key, and a gateway that is away hears it within a day."
)
LONG = 5  # tries of one reading that a party did not take: about a minute
LATE = timedelta(hours=1)  # so long a reading may wait for a party


class Failure(Exception):
    """In words for whoever called, with the exit code."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code


def opened(store: str) -> Database:
    """An existing one. Raises Failure, StoreError and StoreUnusable."""
    if "://" not in store and not Path(store).is_file():
        raise Failure(f"{store}: no such store; `run` makes it", UNAVAILABLE)
    return open_database(store)


def status(db: Database, *, forget: bool, as_json: bool) -> int:
    """1 if somebody should look."""
    if forget:
        looks.seen(db)
    seen, standings = looks.overview(db), parties.standings(db)
    found = needs(seen, standings, datetime.now(UTC))
    if as_json:
        waiting = [asdict(each) for each in standings]
        print_json(asdict(seen) | {"parties": waiting, "needs": found})
    else:
        for name, words in (*_lines(seen), *_waiting(standings)):
            say(f"{name + ':':16}{words}")
        say("")
        for line in [f"! {each}" for each in found] or ["Nothing needs anybody."]:
            say(line)
    return ATTENTION if found else OK


def needs(seen: Overview, standings: Sequence[Standing], now: datetime) -> list[str]:
    """What somebody should look at, a line each."""
    return [*_needs(seen), *_of_parties(standings, now)]


def _lines(seen: Overview) -> Iterator[tuple[str, str]]:
    yield "held", f"{seen.readings} readings; {seen.copies} copies, {seen.repeats} repeats"
    yield "last stored", when(seen.last_at)
    yield "gateways", f"{seen.gateways}; {seen.offline} said to be offline"
    since = f", the oldest since {when(seen.waiting_since)}" if seen.waiting else ""
    yield "to hand on", f"{seen.waiting}{since}"
    yield "handed on", f"{seen.delivered}; {seen.undeliverable} undeliverable"
    numbers = f"{seen.missing_numbers} numbers in {seen.missing_gaps} gaps"
    yield "missing", f"{numbers}; {seen.unanswered} commands without an answer"
    yield "dead letters", str(seen.dead_letters)


def _needs(seen: Overview) -> Iterator[str]:
    for each in seen.missing:
        yield _of_missing(each)
    if (more := seen.missing_gaps - len(seen.missing)) > 0:
        yield f"and {more} gaps more"
    if seen.dead_letters:
        yield f"dead letters: {seen.dead_letters}; see `hjemgate-receiver dead-letters`"
    if seen.undeliverable:
        yield f"could not be handed on: {seen.undeliverable}; see `hjemgate-receiver dead-letters`"
    for notice in seen.notices:
        often = f"{notice.times} times, last {when(notice.last_at)}"
        yield f"{notice.gateway}: {notice.what} ({often})"


def _waiting(standings: Sequence[Standing]) -> Iterator[tuple[str, str]]:
    for each in standings:
        if not each.waiting:
            continue
        yield f"to {each.party}", f"{each.waiting}, since {when(each.since)}{_tries(each)}"


def _tries(each: Standing) -> str:
    if not each.attempts:
        return ""
    return f"; one was tried {each.attempts} times: {each.reason or 'no answer yet'}"


def _of_parties(standings: Sequence[Standing], now: datetime) -> Iterator[str]:
    for each in standings:
        if each.trouble is not None:
            yield f"{each.party}: {each.trouble}"
        late = each.since is not None and now - each.since > LATE
        if each.attempts >= LONG or late:
            since = when(each.since)
            yield f"{each.party}: {each.waiting} readings wait for it since {since}{_tries(each)}"


def _of_missing(each: Missing) -> str:
    span = str(each.first) if each.first == each.last else f"{each.first}-{each.last}"
    where = f"{each.gateway}, epoch {each.epoch}: {span}"
    match each.state:
        case "open":
            asked = f", asked for {each.asked} times" if each.asked else ""
            said = f"; the gateway says: {each.reason}" if each.reason else ""
            return f"{where} has not come since {when(each.since)}{asked}{said}"
        case "gone":
            return f"{where} is lost here and purged at the gateway; ask who else received it"
        case _:
            return f"{where} does not come, the gateway says: {each.reason or each.state}"


def replay(db: Database, args: argparse.Namespace) -> int:
    """Leaves an order in the store, and waits for what the gateway says to it."""
    now = datetime.now(UTC)
    wanted, organisation = _wanted(db, args)
    ask = asks.make(db, organisation, args.gateway, wanted, now)
    answer = waited(db, ask, args.wait)
    if args.json:
        print_json({"id": ask} | ({} if answer is None else asdict(answer)))
        return OK if answer is not None and answer.status == "done" else ATTENTION
    if answer is None:
        print(NO_ANSWER)
        return ATTENTION
    if answer.status != "done" or answer.result is None:
        raise Failure(f"{args.gateway}: {answer.status}: {answer.reason}", ATTENTION)
    told = answer.result
    print(f"{told['again']} come again; {told['waiting']} are on their way anyway.")
    for word, why in (("gone", "purged at the gateway"), ("void", "nothing stands behind them")):
        for first, last in told[word]:
            print(f"{first}-{last}: {why}")
    return OK


def _wanted(db: Database, args: argparse.Namespace) -> tuple[Wanted, str]:
    rows = db.execute(
        "SELECT organisation, epoch FROM stream WHERE gateway = ? ORDER BY number DESC LIMIT 1",
        args.gateway,
    )
    known_organisation, known_epoch = rows[0] if rows else (None, None)
    organisation, epoch = args.org or known_organisation, args.epoch or known_epoch
    if not organisation:
        raise Failure(f"{args.gateway} has not sent anything: name its --org", USAGE)
    if args.since is None:
        if epoch is None:
            raise Failure(f"{args.gateway} has not sent anything: name the --epoch", USAGE)
        return Wanted(epoch, args.first, args.last), organisation
    try:
        since = datetime.fromisoformat(args.since)
    except ValueError:
        raise Failure(f"--since: expected 2026-11-25T08:30Z, got {args.since}", USAGE) from None
    return Wanted(since=since.astimezone(UTC)), organisation


def waited(db: Database, ask: UUID, seconds: float) -> Answer | None:
    deadline = time.monotonic() + seconds
    while (answer := asks.answer_to(db, ask)) is None and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    return answer


def when(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"


def print_json(document: object) -> None:
    print(json.dumps(document, default=_plain))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
