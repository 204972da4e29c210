import assert from "node:assert/strict";
import { test } from "node:test";
import { follow } from "../src/following";

const shown = { id: "1", text: "return total" };

test("single characters that fit are typed, longer ones are taken", () => {
  assert.deepEqual(follow(shown, "re", "ret"), { kind: "typed", length: 3 });
  assert.deepEqual(follow(shown, "re", "return "), { kind: "taken", length: 7 });
});

test("deleting back keeps the suggestion", () => {
  assert.deepEqual(follow(shown, "ret", "re"), { kind: "typed", length: 2 });
});

test("the whole text, and another text, end it", () => {
  assert.deepEqual(follow(shown, "re", "return total"), { kind: "whole" });
  assert.deepEqual(follow(shown, "re", "rex"), { kind: "diverged" });
});

test("line ends of two characters are compared as one, and count as they are in the suggestion", () => {
  const dos = { id: "1", text: "f(x):\r\n    y = x\r\n    return y" };
  const line = "f(x):\n    y = x";
  assert.deepEqual(follow(dos, "f", "f(x):"), { kind: "taken", length: 5 });
  assert.deepEqual(follow(dos, "f(x):", line), { kind: "taken", length: line.length + 1 });
  assert.deepEqual(follow(dos, line, `${line}\n`), { kind: "typed", length: line.length + 3 });
  assert.deepEqual(follow(dos, line, `${line}\n    return y`), { kind: "whole" });
  assert.deepEqual(follow(dos, line, `${line}\n    x`), { kind: "diverged" });
});
