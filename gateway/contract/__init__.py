"""The MQTT contract, version 1: topics, messages and their properties. Pure.

docs/contract/README.md says it in prose; the JSON Schemas beside it are generated from here.
"""

from gateway.contract.base import ContractError, GatewayId, Segment
from gateway.contract.command import Command, Reply, parse_command, refusal
from gateway.contract.devices import gateway_name, meter_name
from gateway.contract.properties import DEVICE, OBSERVATION, Properties, parse_properties
from gateway.contract.publication import Publication, observation, receipts, reply, status, will
from gateway.contract.receipt import Receipt, Receipts, ReceiptStatus, parse_receipts
from gateway.contract.replay import REPLAY, ReplayArguments, ReplayResult, replay_arguments
from gateway.contract.signing import signed_document, signed_octets
from gateway.contract.status import (
    ClockHealth,
    Condition,
    DeviceHealth,
    Offline,
    Oldest,
    OutboxHealth,
    RadioHealth,
    Rows,
    Status,
    UplinkHealth,
)
from gateway.contract.topics import Address, Topics, all_observations, from_all, parse_topic
from gateway.contract.withdrawal import WITHDRAW, WithdrawArguments, withdraw_arguments

__all__ = [
    "DEVICE",
    "OBSERVATION",
    "REPLAY",
    "WITHDRAW",
    "Address",
    "ClockHealth",
    "Command",
    "Condition",
    "ContractError",
    "DeviceHealth",
    "GatewayId",
    "Offline",
    "Oldest",
    "OutboxHealth",
    "Properties",
    "Publication",
    "RadioHealth",
    "Receipt",
    "ReceiptStatus",
    "Receipts",
    "ReplayArguments",
    "ReplayResult",
    "Reply",
    "Rows",
    "Segment",
    "Status",
    "Topics",
    "UplinkHealth",
    "WithdrawArguments",
    "all_observations",
    "from_all",
    "gateway_name",
    "meter_name",
    "observation",
    "parse_command",
    "parse_properties",
    "parse_receipts",
    "parse_topic",
    "receipts",
    "refusal",
    "replay_arguments",
    "reply",
    "signed_document",
    "signed_octets",
    "status",
    "will",
    "withdraw_arguments",
]
