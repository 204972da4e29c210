import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { Connection } from "../src/client";
import type { Power } from "../src/config";
import { Resting } from "../src/resting";
import { fake, Position } from "./stubs/vscode";

const HERE = new Position(3, 7);

/** An editor, what the server was told, and the clocks of both. */
function scene(hold?: object) {
  mock.timers.enable({ apis: ["setTimeout"] });
  const clock = mock.method(performance, "now", () => time);
  let time = 1_000;
  const told: unknown[] = [];
  const connection = {
    uri: () => "file:///a.py",
    notify: async (...one: unknown[]) => told.push(one),
  } as unknown as Connection;
  const resting = new Resting({ hold: () => hold } as unknown as Power, () => connection);
  const document = { version: 4 };
  const selection = { active: HERE, isEmpty: true };
  const textEditor = { document, selection };
  return {
    told,
    document,
    move: (selections: object[] = [selection]) => fake.moved.fire({ textEditor, selections }),
    type: () => fake.edited.fire({ document, contentChanges: [] }),
    pass: (ms: number) => {
      time += ms;
      mock.timers.tick(ms);
    },
    end: () => {
      resting.dispose();
      clock.mock.restore();
      mock.timers.reset();
    },
  };
}

test("the server is told of a place where the cursor rests, once", () => {
  const { told, move, pass, end } = scene();
  for (let i = 0; i < 5; i++) {
    move();
    pass(100);
  }
  assert.deepEqual(told, []);
  pass(1_000);
  const textDocument = { uri: "file:///a.py", version: 4 };
  const position = { line: 3, character: 7 };
  assert.deepEqual(told, [["dcomplete/didRest", { textDocument, position }]]);
  end();
});

test("typing, a selection, several cursors, an older document and a pause tell it nothing", () => {
  const held = scene({ message: "paused" });
  held.move();
  held.pass(1_000);
  assert.deepEqual(held.told, []);
  held.end();

  const { told, document, move, type, pass, end } = scene();
  type();
  move(); // as typing does
  pass(1_000);
  move();
  type(); // before the moment is over
  pass(1_000);
  move([{ active: HERE, isEmpty: false }]);
  pass(1_000);
  move([
    { active: HERE, isEmpty: true },
    { active: HERE, isEmpty: true },
  ]);
  pass(1_000);
  move();
  document.version += 1;
  pass(1_000);
  assert.deepEqual(told, []);
  move();
  pass(1_000);
  assert.equal(told.length, 1);
  end();
});
