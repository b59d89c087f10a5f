// A consumer: holds each reading once, then says so. Needs the package mqtt 5, and Node 18.
// node consumer.js HOST PORT CA CERTIFICATE KEY ORGANISATION FOLDER
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const mqtt = require("mqtt");

const [host, port, ca, cert, key, organisation, folder] = process.argv.slice(2);
const NAME = "receiver-1"; // in receipts, and at the broker
fs.mkdirSync(folder, { recursive: true });

// On disk when this returns: what to say, and why. A replaced gateway says the same again in other
// octets: what has one id and version is in one folder, of which any one file is to be handed on.
function keep(told, gateway, sha256, body) {
  let fits = /^[0-9a-f-]{36}$/.test(told.id) && /^[0-9]+$/.test(told.version);
  fits &&= told.source === `/${gateway}` && told.sha256 === sha256;
  try { fits &&= JSON.parse(body).resourceType === "Bundle"; } catch { fits = false; }
  if (!fits) return ["rejected", "the message is not what its properties say"];
  const home = path.join(folder, `${told.id}-v${told.version}`);
  const file = path.join(home, `${sha256}.json`);
  const known = fs.existsSync(file);
  fs.mkdirSync(home, { recursive: true });
  flush(`${file}.part`, "w", body);
  fs.renameSync(`${file}.part`, file);
  for (const each of [home, folder]) flush(each, "r"); // the names as well
  return [known ? "duplicate" : "stored"];
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
      const gateway = topic.replace("/up/observation", "");
      const sha256 = createHash("sha256").update(body).digest("hex");
      const [status, reason] = keep(told, gateway, sha256, body);
      const at = new Date().toISOString();
      const receipt = { id: told.id, epoch: told.epoch, sha256, by: NAME, status, reason, at };
      const properties = { contentType: "application/json", payloadFormatIndicator: true };
      const said = JSON.stringify({ receipts: [receipt] });
      client.publish(`${gateway}/down/receipt`, said, { qos: 1, properties });
    }
    acknowledge(0); // the broker may forget it: it is on our disk
  },
});
const readings = `hjemgate/1/${organisation}/+/up/observation`;
client.on("connect", () => client.subscribe(readings, { qos: 1 }, () => console.log("listening")));
client.on("error", (error) => console.error(String(error)));
