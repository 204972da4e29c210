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
