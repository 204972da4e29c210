// A recorded source file typed at 12 characters per second.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const CHARACTERS = 300;
const INTERVAL = 1_000 / 12; // milliseconds

export async function typing(workbench, { recorded }) {
  const text = (await readFile(recorded, "utf8")).replaceAll("\r\n", "\n").slice(0, CHARACTERS);
  await workbench.file("typed.py", "\n", 1);
  await workbench.page.evaluate(() => {
    globalThis.dcomplete.events.length = 0;
  });
  const begin = performance.now();
  for (const [index, character] of [...text].entries()) {
    const wait = begin + index * INTERVAL - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (character === "\n") await workbench.press("Enter");
    else await workbench.page.keyboard.press(character === " " ? "Space" : character);
  }
  const seconds = (performance.now() - begin) / 1_000;
  await workbench.pause(1_000);
  const events = await workbench.page.evaluate(() => globalThis.dcomplete.events);
  await workbench.press("Escape");
  assert.equal(await workbench.saved("typed.py"), `${text}\n`);
  return { characters: text.length, seconds, ...figures(events) };
}

/**
 * From the page's own clock: keystrokes, those that had grey text before the next, and how long it
 * took. Grey text that stays while one types along with it counts from the moment it is drawn anew.
 */
export function figures(events) {
  const keys = events.filter(({ key }) => key !== undefined && key.length <= 5);
  const delays = [];
  keys.forEach(({ at }, index) => {
    const until = keys[index + 1]?.at ?? at + 1_000;
    const shown = events.find((one) => one.ghost === true && one.at > at && one.at <= until);
    if (shown) delays.push(shown.at - at);
  });
  delays.sort((a, b) => a - b);
  const middle = delays[Math.floor(delays.length / 2)];
  return {
    keystrokes: keys.length,
    before_next: delays.length,
    share: keys.length ? delays.length / keys.length : 0,
    p50_ms: middle === undefined ? null : Math.round(middle * 10) / 10,
  };
}
