import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { ExtensionContext } from "vscode";
import { Compare } from "../src/compare";
import type { Session } from "../src/session";
import { Watch } from "../src/watch";
import { type FakePanel, fake, Position, window, workspace } from "./stubs/vscode";

const ITEM = { insertText: "a + b" };
const STEP = { step: 1, rows: [[{ text: "a", pinned: false }]] };

let document: { version: number; isClosed: boolean };
let asked: { position: { line: number; character: number } }[];
let offered: unknown[];

const session = {
  situation: { phase: { kind: "running", status: { kind: "ready" } } },
  suggestions: { offer: (...offer: unknown[]) => offered.push(offer) },
  connection: {
    uri: () => "file:///x.py",
    items: async (items: unknown[]) => items,
    watch: async (ask: (typeof asked)[number], onStep: (step: unknown) => void) => {
      asked.push(ask);
      onStep(STEP);
      return { items: [ITEM] };
    },
    request: async (method: string) =>
      method === "dcomplete/vote"
        ? { first: { policy: "verify" }, second: { policy: "threshold" } }
        : { id: "one", items: [ITEM, null] },
  },
} as unknown as Session;
const context = { extensionUri: "file:///" } as unknown as ExtensionContext;

beforeEach(() => {
  document = {
    version: 1,
    isClosed: false,
    uri: { scheme: "file" },
    getText: () => "",
    validateRange: (range: unknown) => range,
  } as typeof document;
  const editor = {
    document,
    options: {},
    selection: { active: new Position(0, 4) },
    setDecorations() {},
    edit: async () => true,
  };
  [workspace.textDocuments, window.visibleTextEditors] = [[document], [editor]];
  window.activeTextEditor = editor;
  [asked, offered, fake.commands] = [[], [], []];
  fake.settings = { "compare.contestants": [{ policy: "verify" }, { policy: "threshold" }] };
});

async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
}

function panel(): FakePanel {
  assert.ok(fake.panel);
  return fake.panel;
}

async function watched(): Promise<void> {
  const watch = new Watch(context, session);
  const started = watch.start();
  panel().show(true);
  await started;
}

const types = () => panel().sent.map(({ type }) => type);
const ran = (id: string) => fake.commands.filter(([name]) => name === id).length;
const comparing = () =>
  fake.commands.filter(([, key]) => key === "dcomplete.comparing").at(-1)?.[2];

test("a watch panel that was hidden shows all of it again", async () => {
  await watched();
  assert.deepEqual(types(), ["begin", "step", "done"]);
  panel().show(false);
  panel().show(true);
  assert.deepEqual(types(), ["begin", "step", "done"]);
  panel().heard.fire({ type: "again" });
  await settled();
  panel().show(true);
  assert.deepEqual(types(), ["begin", "step", "done"], "of the second run only");
});

test("Insert takes the text, unless the document has changed meanwhile, which is said", async () => {
  await watched();
  panel().heard.fire({ type: "insert" });
  await settled();
  assert.equal(ran("editor.action.inlineSuggest.commit"), 1);
  document.version = 2;
  panel().heard.fire({ type: "insert" });
  await settled();
  assert.equal(ran("editor.action.inlineSuggest.commit"), 1);
  assert.deepEqual(panel().sent.at(-1), {
    type: "nothing",
    message: "The text changed meanwhile.",
  });
});

test("Again asks where the cursor is now", async () => {
  await watched();
  const [editor] = window.visibleTextEditors;
  document.version = 2;
  Object.assign(editor ?? {}, { selection: { active: new Position(3, 1) } });
  window.activeTextEditor = undefined; // the panel has the focus
  panel().heard.fire({ type: "again" });
  await settled();
  assert.deepEqual(
    asked.map(({ position }) => position),
    [
      { line: 0, character: 4 },
      { line: 3, character: 1 },
    ],
  );
  document.isClosed = true;
  panel().heard.fire({ type: "again" });
  await settled();
  assert.equal(asked.length, 2);
  assert.equal(panel().sent.at(-1)?.message, "The document is no longer open.");
});

test("a request that a second one replaces says nothing in the panel", async () => {
  const failures: ((error: Error) => void)[] = [];
  const failing = {
    ...session,
    connection: {
      uri: () => "",
      watch: () => new Promise((_, reject) => failures.push(reject)),
    },
  } as unknown as Session;
  const watch = new Watch(context, failing);
  const first = watch.start();
  panel().show(true);
  const second = watch.start();
  failures[0]?.(new Error("Request was cancelled."));
  await first;
  assert.deepEqual(types(), ["begin", "begin"]);
  failures[1]?.(new Error("Broken."));
  await second;
  assert.deepEqual(panel().sent.at(-1), { type: "nothing", message: "Broken." });
});

test("where no suggestions are for, it is said and nothing is asked", async (running) => {
  const told: string[] = [];
  running.mock.method(window, "showInformationMessage", (message: string) => told.push(message));
  for (const scheme of ["git", "output"]) {
    Object.assign(document, { uri: { scheme } });
    await new Watch(context, session).start();
  }
  assert.equal(asked.length, 0);
  assert.deepEqual(told, [
    "dcomplete does not suggest in documents of this kind.",
    "Put the cursor into a text file first.",
  ]);
});

test("a comparison that was hidden is shown again, with the names once they are told", async () => {
  const compare = new Compare(context, session);
  await compare.start();
  panel().show(true);
  panel().show(false);
  panel().show(true);
  assert.deepEqual(types(), ["begin"]);
  await compare.vote("neither");
  panel().show(false);
  panel().show(true);
  assert.deepEqual(types(), ["begin", "names"]);
});

test("the voting keys are taken only while a comparison is seen and not voted on", async () => {
  const compare = new Compare(context, session);
  await compare.start();
  assert.equal(comparing(), true);
  panel().show(false);
  assert.equal(comparing(), false);
  panel().show(true);
  assert.equal(comparing(), true);
  await compare.vote("tie");
  assert.equal(comparing(), false);
  panel().show(false);
  panel().show(true);
  assert.equal(comparing(), false);
});
