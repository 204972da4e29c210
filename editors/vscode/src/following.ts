/** What became of the suggestion on screen, told from what was typed since. */

export interface Shown {
  id: string;
  text: string;
}

export type Outcome =
  | { kind: "typed"; length: number }
  | { kind: "taken"; length: number }
  | { kind: "whole" }
  | { kind: "diverged" };

/**
 * Compare a suggestion with what stands in its place now.
 *
 * VS Code does not tell stable extensions about partial acceptance, so several characters that come at
 * once and go on with the suggestion count as taken; a single one counts as typed.
 *
 * @param before what stood from the start of the suggestion's range to the cursor before the change
 * @param now what stands there after it
 */
export function follow(shown: Shown, before: string, now: string): Outcome {
  if (!shown.text.startsWith(now)) return { kind: "diverged" };
  if (now.length === shown.text.length) return { kind: "whole" };
  if (now.length - before.length > 1) return { kind: "taken", length: now.length };
  return { kind: "typed", length: now.length };
}
