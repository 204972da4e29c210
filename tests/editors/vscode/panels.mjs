// Watch it denoise; compare two without names and vote.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { ADD } from "./suggesting.mjs";

/** Show another file in the panel's place, which throws its page away, and bring the panel back. */
async function hideAndShow(workbench) {
  await workbench.press("Control+2");
  await workbench.pause(700); // a page takes the focus late, and would close the box that opens files
  await workbench.file("beside.py", "pass\n", 1);
  await workbench.press("Control+2", "Control+PageUp");
  await workbench.pause(500);
}

export async function watch(workbench) {
  await workbench.file("watch.py", `${ADD.replace("return\n", "return \n")}`, 2);
  await workbench.command("dcomplete: Watch It Denoise");
  const panel = workbench.webview();
  await panel.getByText(/Done after \d+ steps/).waitFor({ timeout: 60_000 });
  const note = await panel.locator(".note").first().innerText();
  const text = await panel.locator(".text").first().innerText();
  const ghost = await workbench.waitGhost();
  await workbench.screenshot("watch-done");
  await panel.locator("input").focus();
  await workbench.press("Home");
  await panel.getByText(/Step \d+: \d+ of \d+ tokens decided/).waitFor({ timeout: 30_000 });
  await panel.locator(".mask").first().waitFor({ timeout: 30_000 });
  await hideAndShow(workbench);
  await panel.getByText(/Done after \d+ steps/).waitFor({ timeout: 30_000 });
  await panel.locator("input").focus();
  await workbench.press("Home");
  await workbench.press("ArrowRight", "ArrowRight");
  await workbench.screenshot("watch-step");
  await workbench.focus();
  if (!(await workbench.ghost())) await workbench.ask();
  await workbench.press("Tab");
  await workbench.pause(300);
  const line = (await workbench.saved("watch.py")).split("\n")[1];
  assert.ok(line.trimEnd().length > "    return".length, line);
  await workbench.command("View: Close Editors in Other Groups");
  return { note, text, ghost, line };
}

export async function compare(workbench, { store }) {
  await workbench.file("compare.py", `${ADD.replace("return\n", "return \n")}`, 2);
  await workbench.command("dcomplete: Compare Two Suggestions");
  const panel = workbench.webview();
  await panel.locator("#second pre").waitFor({ timeout: 30_000 });
  const before = await panel.locator("main").innerText();
  assert.doesNotMatch(before, /threshold|verify|model/);
  await workbench.screenshot("compare-before");
  await hideAndShow(workbench);
  await panel.locator("#second pre").waitFor({ timeout: 30_000 });
  await workbench.focus();
  await workbench.press("Alt+1");
  await panel.locator("#first h2", { hasText: "policy" }).waitFor({ timeout: 30_000 });
  const names = [];
  for (const id of ["first", "second"]) names.push(await panel.locator(`#${id} h2`).innerText());
  await workbench.screenshot("compare-after");
  const votes = (await readFile(store, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const vote = votes.filter(({ event }) => event === "vote").at(-1);
  assert.equal(vote.choice, "first");
  assert.deepEqual([vote.first.policy, vote.second.policy].sort(), ["threshold", "verify"]);
  assert.match(names[0], new RegExp(vote.first.policy));
  await workbench.pause(500);
  const line = (await workbench.saved("compare.py")).split("\n")[1];
  await workbench.command("View: Close Editors in Other Groups");
  return { names, line };
}
