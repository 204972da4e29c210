import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const { commands, keybindings, walkthroughs, menus } = manifest.contributes;
const declared: string[] = commands.map((one: { command: string }) => one.command);

test("the manifest declares exactly the commands that the code registers", () => {
  const source = readFileSync("src/commands.ts", "utf8");
  const table = source.slice(source.indexOf("Record<string, () => unknown>"), source.indexOf("};"));
  const registered = [...table.matchAll(/^ {4}(\w+)[:,]/gm)].map(([, name]) => `dcomplete.${name}`);
  assert.deepEqual([...declared].sort(), registered.sort());
});

test("no key is bound without a guard, and none that VS Code's suggestions use", () => {
  const taken = ["tab", "escape", "enter", "alt+[", "alt+]", "ctrl+right", "cmd+right"];
  for (const { key, when, command } of keybindings) {
    assert.ok(!taken.includes(key), key);
    assert.match(when, /inlineSuggestionVisible|dcomplete\.(comparing|running)/, command);
  }
});

test("the key that the texts name for asking is this extension's: VS Code has none for it", () => {
  const bound = keybindings.find((one: { key: string }) => one.key === "alt+\\");
  assert.equal(bound?.command, "dcomplete.trigger");
  assert.equal(bound?.when, "editorTextFocus && !editorReadonly && dcomplete.running");
});

test("voting keys keep their meaning outside of text and the comparison", () => {
  const votes = keybindings.filter(({ command }: { command: string }) => /\.vote/.test(command));
  assert.equal(votes.length, 4);
  for (const { when } of votes) {
    assert.match(when, /&& \(editorTextFocus \|\| activeWebviewPanelId == 'dcomplete.compare'\)$/);
  }
});

test("what chooses a model or writes code down is not a workspace's to set before it is trusted", () => {
  const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  for (const name of ["model.name", "compare.contestants", "log.code", "trace.server"]) {
    assert.ok(restrictedConfigurations.includes(`dcomplete.${name}`), name);
  }
});

test("menus, keys and walkthroughs name commands and files that exist", () => {
  const used = [...menus.commandPalette, ...keybindings].map((one) => one.command);
  for (const command of used) assert.ok(declared.includes(command), command);
  for (const { description, media } of walkthroughs[0].steps) {
    assert.ok(existsSync(media.markdown), media.markdown);
    for (const [, id = ""] of description.matchAll(/command:([\w.]+)/g)) {
      assert.ok(declared.includes(id), id);
    }
  }
});

test("only one file may import the language client, and no other loads that file at once", () => {
  for (const name of readdirSync("src")) {
    const source = readFileSync(join("src", name), "utf8");
    if (name !== "client.ts") {
      assert.doesNotMatch(source, /from "vscode-languageclient/, name);
      assert.doesNotMatch(source, /^import (?!type)[^;]*from "\.\/client"/m, name);
    }
  }
});
