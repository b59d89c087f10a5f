"""What a meter says of itself as text to be sealed, and back, also from other versions' text."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from drivers.api import Certification, DeviceInfo, PnpId, Udi

Fields = Mapping[str, Any]


def freeze(info: DeviceInfo) -> bytes:
    return json.dumps({**asdict(info), "system_id": info.system_id.hex()}).encode()


def thaw(text: bytes) -> DeviceInfo:
    """Fields that an earlier version did not know are empty; those of a later one are left out."""
    said = json.loads(text)
    known = _known(DeviceInfo, said)
    certification, udi, pnp_id = (said.get(name) for name in ("certification", "udi", "pnp_id"))
    known["system_id"] = bytes.fromhex(said["system_id"])
    known["certification"] = None if certification is None else _certification(certification)
    known["udi"] = None if udi is None else Udi(**_known(Udi, udi))
    known["pnp_id"] = None if pnp_id is None else PnpId(*pnp_id)
    return DeviceInfo(**known)


def _certification(said: Fields) -> Certification:
    known = _known(Certification, said)
    return Certification(**{**known, "interfaces": tuple(known["interfaces"])})


def _known(of: type[DeviceInfo | Certification | Udi], said: Fields) -> dict[str, Any]:
    names = {each.name for each in fields(of)}
    return {name: value for name, value in said.items() if name in names}
