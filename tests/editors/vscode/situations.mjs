// The status bar says what goes on, and the extension comes back from trouble.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { ADD } from "./suggesting.mjs";

export async function loading(workbench) {
  await workbench.waitStatus(/Ready\.|Nothing here/, 90_000);
  const said = await workbench.statusHistory();
  assert.ok(
    said.some((one) => /dcomplete: loading .*[Ll]oading the model/.test(one)),
    said.join("\n"),
  );
  return { said };
}

export async function languageOff(workbench) {
  await workbench.file("off.py", ADD, 2);
  await workbench.command("dcomplete: Turn On or Off for This Language");
  await workbench.waitStatus(/off for python/);
  await workbench.type(" ");
  await workbench.pause(2_000);
  assert.equal(await workbench.ghost(), "");
  await workbench.screenshot("language-off");
  await workbench.command("dcomplete: Turn On or Off for This Language");
  await workbench.waitStatus(/Ready\.|Nothing here/);
  const ghost = await workbench.ask();
  await workbench.saved("off.py");
  return { ghost };
}

export async function engineKilled(workbench, { dcomplete }) {
  await workbench.file("killed.py", ADD, 2);
  const before = (await workbench.statusHistory()).length;
  const status = execFileSync(dcomplete, ["serve", "--status", "--json"], { encoding: "utf8" });
  const { pid } = JSON.parse(status);
  process.kill(pid, "SIGSTOP"); // so that it surely is in the middle of a request when it dies
  await workbench.type(" ");
  await workbench.waitStatus(/Thinking/);
  process.kill(pid, "SIGKILL");
  await workbench.waitSaid(/no engine|[Ee]ngine|loading/, before, 60_000);
  await workbench.screenshot("engine-stopped");
  const ghost = await workbench.ask(90_000);
  await workbench.saved("killed.py");
  const said = (await workbench.statusHistory()).slice(before);
  return { ghost, said };
}

/** A server that no longer answers is left for another one. */
export async function serverHung(workbench, { dcomplete }) {
  await workbench.file("hung.py", ADD, 2);
  const program = `${dcomplete}\0lsp\0`;
  const running = () =>
    readdirSync("/proc").filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(program);
      } catch {
        return false; // not a process, or gone
      }
    });
  const [pid] = running();
  process.kill(Number(pid), "SIGSTOP");
  const before = (await workbench.statusHistory()).length;
  const begin = Date.now();
  await workbench.command("dcomplete: Restart");
  await workbench.waitSaid(/Starting the server/, before, 30_000);
  await workbench.waitStatus(/Ready\.|Nothing here/, 30_000);
  const seconds = (Date.now() - begin) / 1000;
  assert.ok(running().some((other) => other !== pid));
  const ghost = await workbench.ask(90_000);
  await workbench.saved("hung.py");
  return { seconds, ghost };
}

/** What VS Code measured: milliseconds to load the code, to call `activate`, and until it resolved. */
export async function startup(workbench) {
  await workbench.command("Developer: Startup Performance");
  await workbench.page.locator(".tab.active", { hasText: "Startup Performance" }).waitFor();
  await workbench.pause(2_000);
  await workbench.press("Control+f");
  await workbench.type("dcomplete.dcomplete |");
  await workbench.press("Enter");
  await workbench.pause(500);
  await workbench.press("Escape");
  const lines = await workbench.lines();
  const line = lines.find((one) => one.includes("dcomplete.dcomplete")) ?? "";
  const [load, call, finish] = [...line.matchAll(/\|\s*(\d+)\s*(?=\|)/g)].map(([, n]) => Number(n));
  assert.ok(load !== undefined && call !== undefined, lines.join("\n"));
  return { load, call, finish };
}

/** A key that is pressed before the server runs is answered when it does, without another key. */
export async function early(workbench) {
  await workbench.file("early.py", ADD, 2);
  await workbench.pause(6_000); // the page writes down every five seconds what is open
  await workbench.restart();
  const status = await workbench.status();
  await workbench.focus();
  await workbench.type(" ");
  const line = (await workbench.lines())[1];
  assert.doesNotMatch(status, /Ready/, "the server was there already");
  assert.equal(line.trimEnd(), "    return", "the key went elsewhere");
  const ghost = await workbench.waitGhost(true, 60_000);
  await workbench.saved("early.py");
  return { status, ghost };
}

export async function serverMissing(workbench) {
  await workbench.restartWith({ "dcomplete.serverPath": "/nowhere/dcomplete" });
  await workbench.waitStatus(/not installed/);
  const toast = workbench.page.locator(".notification-toast", { hasText: "/nowhere/dcomplete" });
  await toast.waitFor({ timeout: 30_000 });
  await workbench.screenshot("server-missing");
  await toast.getByRole("button", { name: "Install" }).click();
  const rows = workbench.page.locator(".quick-input-list .monaco-list-row");
  await rows.first().waitFor({ timeout: 30_000 });
  const offered = await rows.allInnerTexts();
  assert.ok(
    offered.some((text) => text.includes("uv tool install path/to/dcomplete")),
    offered.join(),
  );
  await workbench.press("Escape");
  return { offered };
}
