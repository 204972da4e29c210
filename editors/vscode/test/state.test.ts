import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerStatus } from "../src/protocol";
import { describe, holdFor, holdsInvoked, type Phase } from "../src/state";

const running = (status: ServerStatus): Phase => ({ kind: "running", status });
const calm = {
  enabled: true,
  languageEnabled: true,
  language: "go",
  automatic: true,
  pauseOnBattery: true,
  onBattery: false,
};

test("every phase has a text and a sentence that ends", () => {
  const phases: Phase[] = [
    { kind: "finding" },
    { kind: "missing", message: "Not here." },
    { kind: "starting" },
    { kind: "failed", message: "It broke." },
    ...(["ready", "loading", "busy", "off", "error"] as const).map((kind) => running({ kind })),
  ];
  for (const phase of phases) {
    const { text, sentences } = describe({ phase, hold: undefined });
    assert.match(text, /^\$\([\w~-]+\) dcomplete/);
    assert.match(sentences[0] ?? "", /\.$/);
  }
});

test("a refusal is told in full, and in the bar only where one can act on it", () => {
  const private_ = { kind: "ready", reason: "private", message: "This file is secret." } as const;
  const bar = describe({ phase: running(private_), hold: undefined });
  assert.equal(bar.text, "$(dash) dcomplete: private file");
  assert.equal(bar.sentences[0], "Nothing here: This file is secret.");
  const ended = { kind: "ready", reason: "statement-ended", message: "Done here." } as const;
  assert.equal(describe({ phase: running(ended), hold: undefined }).text, "$(dash) dcomplete");
});

test("what the person switched off is shown, but an error comes first", () => {
  const hold = holdFor({ ...calm, languageEnabled: false });
  assert.equal(
    describe({ phase: running({ kind: "ready" }), hold }).text,
    "$(circle-slash) dcomplete: off for go",
  );
  const error = describe({
    phase: running({ kind: "error", reason: "no-engine", message: "Gone." }),
    hold,
  });
  assert.equal(error.text, "$(error) dcomplete: no engine");
  assert.equal(error.level, "error");
});

test("the battery pauses what comes by itself, not what is asked for", () => {
  const now = { ...calm, onBattery: true };
  assert.equal(holdFor(now)?.label, "on battery");
  assert.ok(!holdsInvoked(now));
  assert.equal(holdFor({ ...now, pauseOnBattery: false }), undefined);
  assert.ok(holdsInvoked({ ...calm, enabled: false }));
});

test("a person who wants to ask gets nothing unasked", () => {
  const now = { ...calm, automatic: false };
  assert.equal(holdFor(now)?.label, "when asked");
  assert.ok(!holdsInvoked(now));
});

test("the model's name is told", () => {
  const { sentences } = describe({
    phase: running({ kind: "ready", model: "tiny" }),
    hold: undefined,
  });
  assert.deepEqual(sentences, ["Ready.", "Model: tiny."]);
});
