import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "../src/client";
import type { Power } from "../src/config";
import { Suggestions } from "../src/suggestions";
import { fake, Position, type Range } from "./stubs/vscode";

type Provided = Parameters<Suggestions["provide"]>;
type Offered = Parameters<Suggestions["offer"]>;

/** A document of lines that end in \r\n. */
class Dos {
  version = 1;
  constructor(public text: string) {}

  getText({ start, end }: Range): string {
    return this.text.slice(this.offsetAt(start), this.offsetAt(end));
  }

  offsetAt({ line, character }: Position): number {
    const before = this.text.split("\r\n").slice(0, line);
    return before.reduce((sum, one) => sum + one.length + 2, 0) + character;
  }

  positionAt(offset: number): Position {
    const lines = this.text.slice(0, offset).split("\r\n");
    return new Position(lines.length - 1, lines.at(-1)?.length ?? 0);
  }

  /** Insert at the end, as an editor does. */
  add(text: string): void {
    const rangeOffset = this.text.length;
    const start = this.positionAt(rangeOffset);
    this.text += text;
    this.version += 1;
    const change = { range: { start, end: start }, rangeOffset, text };
    fake.edited.fire({ document: this, contentChanges: [change] });
  }
}

test("in a file with CRLF the server is told of each part that is taken, also of later lines", async () => {
  const suggestions = new Suggestions(
    {} as Power,
    () => {},
    async () => {},
  );
  const told: [string, { acceptedLength?: number }][] = [];
  suggestions.connection = {
    raw: (item: unknown) => item,
    notify: async (...one: (typeof told)[number]) => told.push(one),
  } as unknown as Connection;
  const document = new Dos("import os\r\ndef ");
  const here = new Position(1, 4);
  const item = {
    insertText: "f(x):\r\n    return x",
    command: { title: "", command: "dcomplete.didAccept", arguments: ["id"] },
  };
  suggestions.offer(...([document, here, [item]] as unknown as Offered));
  await suggestions.provide(...([document, here, { triggerKind: 1 }, {}] as unknown as Provided));
  for (const part of ["f(x):", "\r\n    return", " x"]) document.add(part);
  const parts = told.filter(([method]) => method === "textDocument/didPartiallyAcceptCompletion");
  assert.deepEqual(
    parts.map(([, { acceptedLength }]) => acceptedLength),
    ["f(x):".length, "f(x):\r\n    return".length],
  );
});
