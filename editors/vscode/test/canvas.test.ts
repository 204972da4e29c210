import assert from "node:assert/strict";
import { test } from "node:test";
import { asLine, BREAK, decided, MASK } from "../src/canvas";

const cell = (text: string | null) => ({ text, pinned: false });

test("masks are shades and line breaks a symbol", () => {
  const row = [cell("a"), cell(null), cell("\n    b"), cell("\r\n"), cell("\tc")];
  assert.equal(asLine(row), `a${MASK}${BREAK}b${BREAK}c`);
});

test("a long canvas is cut", () => {
  const line = asLine(
    Array.from({ length: 50 }, () => cell("x")),
    10,
  );
  assert.equal(line.length, 10);
});

test("decided cells are counted over all rows", () => {
  const rows = [[cell("a"), cell(null)], [cell("b")]];
  assert.deepEqual(decided({ step: 1, rows }), { decided: 2, cells: 3 });
});
