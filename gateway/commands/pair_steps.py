"""The steps of `hjemgate pair`, each a conversation with the running gateway."""

import argparse
import asyncio
from contextlib import aclosing
from pathlib import Path

from gateway.commands.command import USAGE, fail
from gateway.commands.pair_choice import choose
from gateway.commands.prompt import Dialogue
from gateway.commands.talk import Facts
from gateway.control_client import Conversation, conversation, request, watch

BONDS = {
    "just-works": "paired without a passkey",
    "passkey": "paired by passkey",
    "before": "it was paired with this gateway before; how is not known",
    "none": "this kind of meter needs no pairing",
}
STEPS = {  # of the journey of a reading, while a test is waited for
    "stored": "A reading has arrived: the meter works.",
    "held": "A reading has arrived and is held: see `hjemgate held`.",
    "repeat": "A reading has arrived that was there already; measure once more.",
    "parked": "Octets have arrived that could not be read: see `hjemgate parked`.",
}


class Pairing:
    """One meter on its way in. Each step may raise Failure."""

    def __init__(self, path: Path, args: argparse.Namespace) -> None:
        self._path, self._args = path, args
        self._dialogue = Dialogue(args.json)
        self._address: str | None = args.address and args.address.upper().replace("-", ":")
        self._driver: str | None = args.driver
        self._given = False  # it has its person already
        self._device = 0

    async def choose(self) -> None:
        """Which meter, and which driver; and that everything needed can be asked."""
        if self._address is None:
            self._dialogue.must_be_there("say which meter: --address (hjemgate scan finds it)")
        known = {
            each["address"]: each for each in (await request(self._path, "devices"))["devices"]
        }
        found = known.get(self._address or "")
        if found is None and not self._args.patient and not self._args.ignore:
            self._dialogue.must_be_there("say whose meter it is: --patient or --ignore")
        if found is not None and self._driver is None:
            self._driver = found["driver"]
        if self._address is None or self._driver is None:
            self._address, self._driver = await choose(
                self._path, self._dialogue, self._address, self._driver, self._args.minutes * 60
            )
        self._given = bool(known.get(self._address, {}).get("slots"))

    async def bond(self) -> bool:
        """Whether it has paired; what went wrong has been said."""
        async with conversation(
            self._path,
            "pair",
            address=self._address,
            driver=self._driver,
            seconds=self._args.minutes * 60,
            passkey=self._args.passkey,
            typed=self._dialogue.present,
        ) as told:
            self._device = told.first["device"]
            self._dialogue.say(
                "window",
                f"The pairing window for {self._address} is open for {self._args.minutes} min.",
                address=self._address,
            )
            done: bool | None = None
            async for line in told.lines():
                done = await self._news(line["news"], told)
                if done is not None:
                    break
        if done is None:
            fail("the gateway ended in the middle of pairing")
        return done

    async def _news(self, news: Facts, told: Conversation) -> bool | None:
        """None: there is more to come."""
        facts = {key: value for key, value in news.items() if key != "kind"}
        match news["kind"]:
            case "heard":
                self._dialogue.say("heard", "The meter is heard.")
            case "passkey":
                told.say(passkey=await self._passkey(news["seconds"]))
            case "failed":
                self._dialogue.say("failed", f"{news['words']}", **facts)
            case "paired":
                self._address = news["address"]
                self._dialogue.say("paired", _introduced(news), **facts)
                return True
            case "closed":
                self._dialogue.say("closed", f"Not paired: {news['words']}.", **facts)
                return False
        return None

    async def _passkey(self, seconds: int) -> int | None:
        self._dialogue.say("passkey", "The meter shows six digits.", seconds=seconds)
        typed = await self._dialogue.ask(f"Type them, within {seconds} s:")
        return int(typed) if len(typed) == 6 and typed.isdecimal() else None

    async def give(self) -> None:
        """Whose it is, unless that is known and nothing else was said."""
        args = self._args
        patient, slot = args.patient, args.slot
        if not patient and not args.ignore:
            if self._given:
                return
            patient = await self._dialogue.ask("Whose is it? The care organisation's identifier:")
            if slot is None:
                slot = await self._slot()
        answer = await request(
            self._path,
            "devices add",
            address=self._address,
            driver=self._driver,
            patient=patient or None,
            ignore=args.ignore,
            slot=slot,
            no_window=True,
            **{"from": args.since},
        )
        words = "This slot is never sent."
        if not args.ignore:
            words = f"It has its person. Readings from before {answer['from'][:16]} are held."
        self._dialogue.say("given", words, **{"from": answer["from"]})

    async def _slot(self) -> int | None:
        typed = await self._dialogue.ask("The meter's user number (Enter: it has none):")
        if not typed:
            return None
        if not typed.isdecimal():
            fail(f"{typed!r} is no user number; name the person with `hjemgate devices add`", USAGE)
        return int(typed)

    async def test(self) -> bool:
        """Whether a reading has arrived in time."""
        self._dialogue.say("measure", "Measure once with it now.")
        try:
            async with (
                asyncio.timeout(self._args.minutes * 60),
                aclosing(watch(self._path)) as told,
            ):
                await anext(told)
                async for step in told:
                    if step["device"] == self._device and await self._arrived(step):
                        return True
        except TimeoutError:
            self._dialogue.say("none", f"No reading has arrived in {self._args.minutes} min.")
        return False

    async def _arrived(self, step: Facts) -> bool:
        if step["step"] not in STEPS:
            return False
        facts: Facts = {"step": step["step"]}
        words = STEPS[step["step"]]
        if self._args.show and step["reading"] is not None:
            values = (await request(self._path, "reading", row=f"r{step['reading']}"))["values"]
            facts["values"] = values
            words += "".join(f"\n  {v['kind']}: {v['number']} {v['unit']}" for v in values)
        self._dialogue.say("arrived", words, **facts)
        return bool(step["step"] == "stored")


def _introduced(news: Facts) -> str:
    made = " ".join(each for each in (news["manufacturer"], news["model"]) if each)
    serial = f", serial number {news['serial']}" if news["serial"] else ""
    return f"This is {made or 'a meter that gives no name'}{serial}: {BONDS[news['bond']]}."
