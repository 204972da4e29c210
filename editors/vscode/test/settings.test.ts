import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  contestantName,
  contestants,
  languageEnabled,
  OWN_KEYS,
  SERVER_KEYS,
  serverSettings,
  toggledLanguage,
} from "../src/settings";

interface Property {
  markdownDescription?: string;
  scope?: string;
  default?: unknown;
}

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const properties: Record<string, Property> = Object.assign(
  {},
  ...manifest.contributes.configuration.map((part: { properties: object }) => part.properties),
);

test("the manifest declares exactly the settings that the code reads", () => {
  const read = [...SERVER_KEYS, ...OWN_KEYS].map((key) => `dcomplete.${key}`);
  assert.deepEqual(Object.keys(properties).sort(), read.sort());
});

test("every setting has a description, a scope and a default", () => {
  for (const [name, property] of Object.entries(properties)) {
    assert.ok(property.markdownDescription, name);
    assert.ok(property.scope, name);
    assert.notEqual(property.default, undefined, name);
  }
});

test("the server gets its own settings, nested, and nothing of the extension's", () => {
  const values: Record<string, unknown> = {
    enabled: true,
    "model.lineTokens": 16,
    "model.name": "tiny",
    "trigger.languages": { "*": true },
    serverPath: "/somewhere",
    pauseOnBattery: true,
  };
  assert.deepEqual(
    serverSettings((key) => values[key]),
    {
      enabled: true,
      model: { lineTokens: 16, name: "tiny" },
      trigger: { languages: { "*": true } },
    },
  );
});

test("a model without a name is left to the server's arguments", () => {
  assert.deepEqual(
    serverSettings((key) => properties[`dcomplete.${key}`]?.default).model,
    Object.fromEntries(
      SERVER_KEYS.filter((key) => key.startsWith("model.") && key !== "model.name").map((key) => [
        key.slice("model.".length),
        properties[`dcomplete.${key}`]?.default,
      ]),
    ),
  );
});

test("a language is on unless it, or the star, says no", () => {
  assert.ok(languageEnabled({ "*": true }, "rust"));
  assert.ok(languageEnabled({ "*": false, rust: true }, "rust"));
  assert.ok(!languageEnabled({ "*": true, rust: false }, "rust"));
  assert.ok(!languageEnabled({ "*": false }, "rust"));
  assert.ok(languageEnabled(undefined, "rust"));
});

test("toggling a language twice is as before, and leaves the others alone", () => {
  const once = toggledLanguage({ "*": true, go: false }, "rust");
  assert.deepEqual(once, { "*": true, go: false, rust: false });
  assert.equal(toggledLanguage(once, "rust").rust, true);
});

test("contestants are two different models or policies, or a sentence", () => {
  const fine = [{ policy: "verify" }, { model: "tiny" }];
  assert.deepEqual(contestants(fine), fine);
  for (const wrong of [[], [{}], "x", [{ policy: 1 }, {}], [{ name: "x" }, {}], [{}, {}]]) {
    assert.equal(typeof contestants(wrong), "string", JSON.stringify(wrong));
  }
});

test("a contestant's name tells model and policy", () => {
  assert.equal(contestantName({ model: "tiny", policy: "p2" }), "tiny with policy p2");
  assert.equal(contestantName({ model: "", policy: "" }), "the default model");
});
