"""A consumer: holds each reading once, then says so. Needs paho-mqtt 2.

python consumer.py HOST PORT CA CERTIFICATE KEY ORGANISATION FILE
"""

import hashlib
import json
import sqlite3
import sys
from datetime import UTC, datetime

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

host, port, ca, certificate, key, organisation, file = sys.argv[1:]
NAME = "receiver-1"  # in receipts, and at the broker
store = sqlite3.connect(file)
store.executescript("""
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS
        reading (id, version INTEGER, sha256, body, UNIQUE (id, version, sha256));
    -- A replaced gateway says the same again in other octets: the first of them goes on, once.
    CREATE VIEW IF NOT EXISTS to_hand_on AS
        SELECT min(rowid), id, version, body FROM reading GROUP BY id, version;
""")


def keep(told, gateway, sha256, body):
    """On disk when this returns: what to say, and why."""
    try:
        is_bundle = json.loads(body)["resourceType"] == "Bundle"
    except (ValueError, TypeError, KeyError, RecursionError):
        is_bundle = False
    if told.get("source") != f"/{gateway}" or told["sha256"] != sha256 or not is_bundle:
        return "rejected", "the message is not what its properties say"
    with store:
        row = (told["id"], told["version"], sha256, body)
        done = store.execute("INSERT OR IGNORE INTO reading VALUES (?, ?, ?, ?)", row)
    return ("stored" if done.rowcount else "duplicate"), None


def on_message(client, _userdata, message):
    told = dict(getattr(message.properties, "UserProperty", ()))
    if {"id", "version", "epoch", "sha256"} <= told.keys():  # otherwise nobody can be answered
        gateway = message.topic.removesuffix("/up/observation")
        sha256 = hashlib.sha256(message.payload).hexdigest()
        status, reason = keep(told, gateway, sha256, message.payload)
        receipt = {"id": told["id"], "epoch": told["epoch"], "sha256": sha256, "by": NAME}
        receipt |= {"status": status, "reason": reason, "at": datetime.now(UTC).isoformat()}
        about = Properties(PacketTypes.PUBLISH)
        about.ContentType, about.PayloadFormatIndicator = "application/json", 1
        answer = json.dumps({"receipts": [receipt]})
        client.publish(f"{gateway}/down/receipt", answer, 1, properties=about)
    client.ack(message.mid, message.qos)  # the broker may forget it: it is on our disk


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, NAME, protocol=mqtt.MQTTv5, manual_ack=True)
client.tls_set(ca, certificate, key)
client.on_message = on_message
client.on_connect = lambda *_: client.subscribe(f"hjemgate/1/{organisation}/+/up/observation", 1)
client.on_subscribe = lambda *_: print("listening", flush=True)
session = Properties(PacketTypes.CONNECT)
session.SessionExpiryInterval = 7 * 86400  # readings wait at the broker while we are away
client.connect(host, int(port), clean_start=False, properties=session)
client.loop_forever()
