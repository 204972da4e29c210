// Milliseconds of main-thread time that the bundle takes to start, with VS Code replaced by a stub.
// Prints one line of JSON. Arguments: the folder of the bundle.
import Module, { createRequire } from "node:module";
import { join } from "node:path";

const stub = new Proxy(function stub() {}, {
  get: (_, name) => (name === Symbol.toPrimitive ? () => "" : name === "then" ? undefined : stub),
  set: () => true,
  apply: () => stub,
  construct: () => stub,
});
const load = Module._load;
Module._load = (name, ...rest) => (name === "vscode" ? stub : load(name, ...rest));

const require = createRequire(import.meta.url);
const context = {
  subscriptions: [],
  extensionUri: stub,
  extension: { packageJSON: { version: "0" } },
};
const cpu = () => process.cpuUsage().user / 1_000 + process.cpuUsage().system / 1_000;

const before = cpu();
const extension = require(join(process.argv[2], "extension.js"));
const loaded = cpu();
extension.activate(context);
const activated = cpu();
require(join(process.argv[2], "client.js"));
const client = cpu();
const line = {
  load_ms: loaded - before,
  activate_ms: activated - loaded,
  client_ms: client - activated,
};
process.stdout.write(`${JSON.stringify(line)}\n`);
process.exit(0);
