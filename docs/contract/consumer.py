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
store.execute("PRAGMA synchronous = FULL")
store.execute(
    "CREATE TABLE IF NOT EXISTS reading (id, version, sha256, body, UNIQUE (id, version))"
)


def keep(told, sha256, body):
    """On disk when this returns: what to say, and why."""
    if sha256 != told["sha256"] or not body.startswith(b'{"resourceType":"Bundle"'):
        return "rejected", "the body is not what its properties say"
    name = (told["id"], told["version"])
    with store:
        known = store.execute("SELECT sha256 FROM reading WHERE id = ? AND version = ?", name)
        if (row := known.fetchone()) is None:
            store.execute("INSERT INTO reading VALUES (?, ?, ?, ?)", (*name, sha256, body))
            return "stored", None
    return ("duplicate", None) if row[0] == sha256 else ("rejected", "held with another digest")


def on_message(client, _userdata, message):
    told = dict(getattr(message.properties, "UserProperty", ()))
    if {"id", "version", "epoch", "sha256"} <= told.keys():  # otherwise nobody can be answered
        sha256 = hashlib.sha256(message.payload).hexdigest()
        status, reason = keep(told, sha256, message.payload)
        receipt = {"id": told["id"], "epoch": told["epoch"], "sha256": sha256, "by": NAME}
        receipt |= {"status": status, "reason": reason, "at": datetime.now(UTC).isoformat()}
        topic = message.topic.replace("up/observation", "down/receipt")
        client.publish(topic, json.dumps({"receipts": [receipt]}), qos=1)
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
