// Reads an AsyncAPI document with AsyncAPI's own parser: node parse.mjs FILE
import { Parser, fromFile } from "@asyncapi/parser";

const [file] = process.argv.slice(2);
const { document, diagnostics } = await fromFile(new Parser(), file).parse();
for (const { code, message, path } of diagnostics) {
  console.log(`${code} at ${path.join(".")}: ${message}`);
}
if (document === undefined) process.exit(1);
for (const operation of document.operations().all()) {
  const [channel] = operation.channels().all();
  const answered = operation.reply()?.channel()?.address();
  console.log(`${operation.action()} ${channel.address()}`, ...(answered ? ["->", answered] : []));
}
