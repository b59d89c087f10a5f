// A consumer: holds each reading once, then says so. Needs the package mqtt 5, and Node 18.
// node consumer.js HOST PORT CA CERTIFICATE KEY ORGANISATION FOLDER
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const mqtt = require("mqtt");

const [host, port, ca, cert, key, organisation, folder] = process.argv.slice(2);
const NAME = "receiver-1"; // in receipts, and at the broker
fs.mkdirSync(folder, { recursive: true });

const digest = (octets) => createHash("sha256").update(octets).digest("hex");

// On disk when this returns: what to say, and why.
function keep(told, sha256, body) {
  const named = /^[0-9a-f-]{36}$/.test(told.id) && /^[0-9]+$/.test(told.version);
  if (!named || sha256 !== told.sha256 || !body.toString().startsWith('{"resourceType":"Bundle"'))
    return ["rejected", "the body is not what its properties say"];
  const file = path.join(folder, `${told.id}-v${told.version}.json`);
  if (fs.existsSync(file))
    return digest(fs.readFileSync(file)) === sha256 ? ["duplicate"] : ["rejected", "held otherwise"];
  flush(`${file}.part`, "w", body);
  fs.renameSync(`${file}.part`, file);
  flush(folder, "r"); // the name as well
  return ["stored"];
}

function flush(name, flags, body) {
  const file = fs.openSync(name, flags);
  if (body) fs.writeFileSync(file, body);
  fs.fsyncSync(file);
  fs.closeSync(file);
}

const client = mqtt.connect({
  protocol: "mqtts", host, port: Number(port), protocolVersion: 5, clientId: NAME, clean: false,
  ca: fs.readFileSync(ca), cert: fs.readFileSync(cert), key: fs.readFileSync(key),
  properties: { sessionExpiryInterval: 7 * 86400 }, // readings wait at the broker meanwhile
  customHandleAcks: (topic, body, packet, acknowledge) => {
    const told = packet.properties?.userProperties ?? {};
    if (told.id && told.epoch) { // otherwise nobody can be answered
      const sha256 = digest(body), [status, reason] = keep(told, sha256, body);
      const at = new Date().toISOString();
      const receipt = { id: told.id, epoch: told.epoch, sha256, by: NAME, status, reason, at };
      const answer = JSON.stringify({ receipts: [receipt] });
      client.publish(topic.replace("up/observation", "down/receipt"), answer, { qos: 1 });
    }
    acknowledge(0); // the broker may forget it: it is on our disk
  },
});
const readings = `hjemgate/1/${organisation}/+/up/observation`;
client.on("connect", () => client.subscribe(readings, { qos: 1 }, () => console.log("listening")));
client.on("error", (error) => console.error(String(error)));
