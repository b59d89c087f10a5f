"""Topics: hjemgate/1/{organisation}/{gateway}/{up|down}/{channel}. Nothing personal in them."""

import re
from dataclasses import dataclass

from gateway.contract.base import ContractError

PREFIX = "hjemgate/1"

_TOPIC = re.compile(
    PREFIX + r"/([A-Za-z0-9._-]{1,64})/(gw-[0-9a-hjkmnp-tv-z]{10})"
    r"/(up/(?:observation|status|reply)|down/(?:receipt|command))"
)


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one gateway."""

    organisation: str
    gateway: str

    @property
    def observation(self) -> str:
        return self._topic("up/observation")

    @property
    def status(self) -> str:
        return self._topic("up/status")

    @property
    def reply(self) -> str:
        return self._topic("up/reply")

    @property
    def receipt(self) -> str:
        return self._topic("down/receipt")

    @property
    def command(self) -> str:
        return self._topic("down/command")

    @property
    def source(self) -> str:
        """The CloudEvents attribute `source`."""
        return f"/{PREFIX}/{self.organisation}/{self.gateway}"

    def _topic(self, channel: str) -> str:
        return f"{PREFIX}/{self.organisation}/{self.gateway}/{channel}"


@dataclass(frozen=True, slots=True)
class Address:
    """What a topic says: whose it is, and which channel ("up/observation" ...)."""

    topics: Topics
    channel: str


def parse_topic(topic: str) -> Address:
    """Raises ContractError for a topic that is not of the contract."""
    match = _TOPIC.fullmatch(topic)
    if match is None:
        raise ContractError("expected a topic hjemgate/1/ORGANISATION/GATEWAY/CHANNEL")
    return Address(Topics(match[1], match[2]), match[3])


def all_observations(organisation: str, share: str | None = None) -> str:
    """The filter for every gateway of *organisation*; *share* names a shared subscription."""
    return from_all(organisation, "up/observation", share)


def from_all(organisation: str, channel: str, share: str | None = None) -> str:
    """The same for any channel, "up/status" ..."""
    topic = f"{PREFIX}/{organisation}/+/{channel}"
    return topic if share is None else f"$share/{share}/{topic}"
