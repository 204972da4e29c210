// What else happens in an editor: pairs that close themselves, many cursors, odd files, the popup.
import assert from "node:assert/strict";
import { ADD } from "./suggesting.mjs";

/** Types one opening character, takes what is suggested, and looks whether all pairs still fit. */
async function pair(workbench, name, text, line, typed, balanced) {
  await workbench.file(name, text, line);
  await workbench.type(typed);
  await workbench.pause(200);
  const closed = (await workbench.lines())[line - 1];
  const ghost = (await workbench.ghost()) || (await workbench.ask(0).catch(() => ""));
  if (ghost) await workbench.press("Tab");
  await workbench.pause(300);
  const after = await workbench.saved(name);
  assert.ok(balanced(after), after.split("\n")[line - 1]);
  return { closed, ghost, line: after.split("\n")[line - 1] };
}

export async function brackets(workbench) {
  const text = "def mean(values)\n  puts\nend\n\nputs mean([1, 2, 3])\n";
  const count = (text, one) => text.split(one).length - 1;
  const fits = (after) => {
    const line = after.split("\n")[1]; // closed once: neither missing nor doubled
    return line.includes(")") && count(line, ")") <= count(line, "(");
  };
  return await pair(workbench, "brackets.rb", text, 2, "(", fits);
}

export async function quotes(workbench) {
  const text = 'first = "Ada"\nlast =\nputs first, last\n';
  const even = (after) => (after.split('"').length - 1) % 2 === 0;
  return await pair(workbench, "quotes.rb", text, 2, ' "', even);
}

/** A block is suggested between braces on one line; it can be taken there, or after Enter. */
export async function block(workbench) {
  const text = "int add(int a, int b) \n\nint main(void) {\n    return add(1, 2);\n}\n";
  const whole = /^int add\(int a, int b\) \{\n +\S.*\n(?: .*\n)*\}\n\nint main\(void\) \{\n/;
  await workbench.file("block.c", text, 1);
  const ghost = await workbench.typeUntilGhost("{");
  await workbench.screenshot("block-between");
  await workbench.press("Tab");
  await workbench.pause(300);
  const taken = await workbench.saved("block.c");
  assert.match(taken, whole);
  await workbench.file("enter.c", text, 1);
  await workbench.typeUntilGhost("{");
  await workbench.press("Enter");
  await workbench.pause(100);
  const inside = await workbench.waitGhost(true, 5_000);
  assert.equal((await workbench.lines())[0], "int add(int a, int b) {");
  await workbench.press("Tab");
  await workbench.pause(300);
  assert.equal(await workbench.saved("enter.c"), taken);
  return { ghost, inside, taken };
}

/** What is around the cursor is read before the first key; the engine's log tells, see the test. */
export async function resting(workbench) {
  const many = Array.from({ length: 90 }, (_, n) => `value_${n} = ${n}`).join("\n");
  await workbench.file("resting.py", `${many}\n\n\n${ADD}`, 94);
  await workbench.pause(6_000);
  const begin = Date.now();
  const ghost = await workbench.typeUntilGhost(" ");
  const milliseconds = Date.now() - begin;
  await workbench.saved("resting.py");
  return { ghost, milliseconds };
}

export async function multiCursor(workbench) {
  const text = "def one(a, b):\n    return\n\ndef two(a, b):\n    return\n";
  await workbench.file("cursors.py", text, 2);
  await workbench.press("Home");
  await workbench.command("Add Selection to Next Find Match"); // selects the word, then the next one
  await workbench.command("Add Selection to Next Find Match");
  await workbench.press("End");
  await workbench.type(" a");
  await workbench.pause(2_500);
  const ghost = await workbench.ghost();
  if (ghost) await workbench.press("Tab");
  await workbench.pause(300);
  await workbench.press("Escape", "Escape");
  const lines = (await workbench.saved("cursors.py")).split("\n");
  assert.ok(lines[1].startsWith("    return a"), lines[1]);
  assert.equal(lines[1], lines[4]);
  return { ghost, lines };
}

export async function readOnly(workbench) {
  await workbench.file("readonly.py", ADD, 2);
  await workbench.command("File: Set Active Editor Read-only in Session");
  await workbench.focus();
  await workbench.type(" a");
  await workbench.command("dcomplete: Suggest Here");
  await workbench.pause(2_000);
  assert.equal(await workbench.ghost(), "");
  assert.equal((await workbench.lines())[1], "    return");
  await workbench.press("Escape");
}

export async function untitled(workbench) {
  await workbench.command("File: New Untitled Text File");
  await workbench.pause(500);
  await workbench.type("def add(a, b): return ");
  const ghost = await workbench.ask();
  await workbench.press("Tab");
  await workbench.pause(300);
  const line = (await workbench.lines()).find((one) => one.startsWith("def add")) ?? "";
  assert.ok(line.length > "def add(a, b): return ".length, line);
  await workbench.screenshot("untitled-taken");
  return { ghost, line };
}

export async function largeFile(workbench) {
  const many = Array.from({ length: 20_000 }, (_, n) => `value_${n} = ${n}`).join("\n");
  await workbench.file("large.py", `${many}\n\n\n${ADD}`, 20_004);
  const begin = Date.now();
  const ghost = await workbench.typeUntilGhost(" ");
  const milliseconds = Date.now() - begin;
  await workbench.press("Tab");
  await workbench.pause(300);
  const after = await workbench.saved("large.py");
  assert.equal(after.split("\n")[20_003], `    return ${ghost}`);
  assert.ok(after.startsWith(many));
  return { ghost, milliseconds };
}

export async function crlf(workbench) {
  await workbench.file("crlf.py", ADD.replaceAll("\n", "\r\n"), 2);
  const ghost = await workbench.typeUntilGhost(" ");
  await workbench.press("Tab");
  await workbench.pause(300);
  const after = await workbench.saved("crlf.py");
  const wanted = ADD.replace("return\n", `return ${ghost}\n`).replaceAll("\n", "\r\n");
  assert.equal(after, wanted);
  return { ghost };
}

export async function popup(workbench) {
  const text = "width_of_the_box = 3\nheight_of_the_box = 4\narea = width\n";
  await workbench.file("popup.py", text, 3);
  await workbench.press("Control+Space");
  const row = workbench.page.locator(".suggest-widget.visible .monaco-list-row.focused");
  await row.waitFor({ timeout: 30_000 });
  await workbench.pause(2_500);
  const ghost = await workbench.ghost();
  assert.ok(ghost === "" || ghost.startsWith("_of_the_box"), ghost);
  await workbench.screenshot("popup-open");
  await workbench.press("Enter");
  await workbench.pause(300);
  const line = (await workbench.saved("popup.py")).split("\n")[2];
  assert.equal(line, "area = width_of_the_box");
  return { ghost };
}
