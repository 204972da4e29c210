/** Which settings the server gets, and in which shape. No `vscode` here: see the unit tests. */

import type { Contestant } from "./protocol";

/** Reads a setting by its name without the leading "dcomplete.". */
export type Reader = (key: string) => unknown;

/** What `dcomplete.settings.read_settings` knows; it refuses every other name. */
export const SERVER_KEYS = [
  "enabled",
  "model.name",
  "model.device",
  "model.dtype",
  "model.policy",
  "model.steps",
  "model.lineTokens",
  "model.blockTokens",
  "model.deadlineMs",
  "model.patienceMs",
  "model.branches",
  "model.confidence",
  "context.tokens",
  "context.snippets",
  "context.maxFileBytes",
  "context.ignore",
  "trigger.automatic",
  "trigger.debounceMs",
  "trigger.languages",
  "trigger.comments",
  "trigger.multiline",
  "trigger.completion",
  "trigger.precompute",
  "log.outcomes",
  "log.code",
] as const;

/** Settings that only this extension reads. */
export const OWN_KEYS = [
  "serverPath",
  "serverArguments",
  "pauseOnBattery",
  "compare.contestants",
  "trace.server",
] as const;

/**
 * The server's settings as one nested object; what is not set is left out. So is a model without a name:
 * it would overrule the one that `serverArguments` may name.
 */
export function serverSettings(read: Reader): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const key of SERVER_KEYS) {
    const value = read(key);
    if (value === undefined || value === null || (key === "model.name" && value === "")) continue;
    const [room = key, name] = key.split(".");
    if (name === undefined) {
      settings[room] = value;
    } else {
      settings[room] = { ...(settings[room] as object | undefined), [name]: value };
    }
  }
  return settings;
}

/** Whether suggestions come by themselves in a language; "*" stands for all that are not named. */
export function languageEnabled(languages: unknown, language: string): boolean {
  const map = (typeof languages === "object" && languages) || {};
  const value = (map as Record<string, unknown>)[language] ?? (map as Record<string, unknown>)["*"];
  return value !== false;
}

/** The map of languages with one of them turned round. */
export function toggledLanguage(languages: unknown, language: string): Record<string, boolean> {
  const map = { ...((typeof languages === "object" && languages) || {}) } as Record<
    string,
    boolean
  >;
  map[language] = !languageEnabled(languages, language);
  return map;
}

/** The two contestants of a comparison, or a sentence that says what is wrong with the setting. */
export function contestants(value: unknown): [Contestant, Contestant] | string {
  const wrong =
    'The setting dcomplete.compare.contestants must list two objects such as {"policy": "verify"}.';
  if (!Array.isArray(value) || value.length !== 2) return wrong;
  const fits = value.every(
    (one) =>
      typeof one === "object" &&
      one !== null &&
      Object.entries(one).every(
        ([key, text]) => ["model", "policy"].includes(key) && typeof text === "string",
      ),
  );
  if (!fits) return wrong;
  if (contestantName(value[0]) === contestantName(value[1])) {
    return "The two contestants of dcomplete.compare.contestants are the same.";
  }
  return [value[0], value[1]];
}

/** How a contestant is named once the vote is in. */
export function contestantName(contestant: Contestant): string {
  const model = contestant.model || "the default model";
  return contestant.policy ? `${model} with policy ${contestant.policy}` : model;
}
