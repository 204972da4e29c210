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
 * @param before what stood from the start of the suggestion's range to the cursor before the change,
 *   line ends as \n
 * @param now what stands there after it, line ends as \n
 * @returns lengths are those of the suggestion's own text, whose line ends may be \r\n
 */
export function follow(shown: Shown, before: string, now: string): Outcome {
  const text = shown.text.replaceAll("\r\n", "\n");
  if (!text.startsWith(now)) return { kind: "diverged" };
  if (now.length === text.length) return { kind: "whole" };
  const length = ownLength(shown.text, now);
  return { kind: now.length - before.length > 1 ? "taken" : "typed", length };
}

function ownLength(text: string, now: string): number {
  const passed = text.split("\n", now.split("\n").length - 1);
  return now.length + passed.filter((line) => line.endsWith("\r")).length;
}
