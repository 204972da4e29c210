// Runs every check in one VS Code session and prints one line of JSON for each.
// Its only argument is a JSON object: see `Session` in tests/editors/test_vscode.py.
import {
  block,
  brackets,
  crlf,
  largeFile,
  multiCursor,
  popup,
  quotes,
  readOnly,
  resting,
  untitled,
} from "./editing.mjs";
import { compare, watch } from "./panels.mjs";
import {
  early,
  engineKilled,
  languageOff,
  loading,
  serverHung,
  serverMissing,
  startup,
} from "./situations.mjs";
import { acceptParts, cycle, manual, typeAndTab } from "./suggesting.mjs";
import { typing } from "./typing.mjs";
import { Workbench } from "./workbench.mjs";

const CHECKS = {
  loading,
  early, // while only its own file is open
  typeAndTab,
  acceptParts,
  cycle,
  manual,
  brackets,
  quotes,
  block,
  resting,
  multiCursor,
  readOnly,
  untitled,
  largeFile,
  crlf,
  popup,
  languageOff,
  watch,
  compare,
  typing,
  engineKilled,
  serverHung,
  startup,
  serverMissing,
};

const options = JSON.parse(process.argv[2]);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const workbench = await Workbench.open(options);
try {
  for (const [name, check] of Object.entries(CHECKS)) {
    if (options.only && !options.only.includes(name)) continue;
    const begin = Date.now();
    try {
      const detail = (await check(workbench, options)) ?? {};
      await workbench.noErrors();
      await workbench.screenshot(name);
      say({ check: name, ok: true, seconds: (Date.now() - begin) / 1000, detail });
    } catch (error) {
      await workbench.screenshot(`${name}-failed`);
      const now = { status: await workbench.status(), ghost: await workbench.ghost() };
      const lines = (await workbench.lines()).slice(0, 20);
      say({
        check: name,
        ok: false,
        seconds: (Date.now() - begin) / 1000,
        error: String(error),
        now,
        lines,
      });
      await workbench.tidy().catch(() => undefined);
    }
  }
} finally {
  await workbench.close();
}
