/** The canvas in words: what the denoising looks like in one line of an editor. */

import type { Cell, DenoiseStep } from "./protocol";

export const MASK = "\u2591"; // a light shade
export const BREAK = "\u23ce"; // a return symbol

const MOST = 160; // UTF-16 units of a decoration

/** A row in one line: masked cells as shades, line breaks as a symbol. */
export function asLine(row: readonly Cell[], most = MOST): string {
  const line = row
    .map((cell) => cell.text ?? MASK)
    .join("")
    .replace(/\r?\n[ \t]*/g, BREAK)
    .replaceAll("\t", " ");
  return line.length > most ? `${line.slice(0, most - 1)}\u2026` : line;
}

/** How many cells of all rows are decided, and how many there are. */
export function decided(step: DenoiseStep): { decided: number; cells: number } {
  const cells = step.rows.flat();
  return { decided: cells.filter((cell) => cell.text !== null).length, cells: cells.length };
}
