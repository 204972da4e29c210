// Bundles the unit tests to a temporary folder and runs them with node:test. There is no editor: what
// is imported from it, and from the language client, is in test/stubs.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const folder = mkdtempSync(join(tmpdir(), "dcomplete-test-"));
const names = readdirSync("test").filter((name) => name.endsWith(".test.ts"));
await build({
  entryPoints: names.map((name) => join("test", name)),
  outdir: folder,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  alias: {
    vscode: "./test/stubs/vscode.ts",
    "vscode-languageclient/node": "./test/stubs/languageclient.ts",
  },
});
const files = names.map((name) => join(folder, name.replace(/\.ts$/, ".mjs")));
const run = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" });
rmSync(folder, { recursive: true });
process.exit(run.status ?? 1);
