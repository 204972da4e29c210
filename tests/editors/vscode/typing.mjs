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
 * From the page's own clock: how many keystrokes had grey text before the next one, and the milliseconds
 * from a keystroke to the grey text that is drawn after it. `fresh` counts those without grey text before.
 */
export function figures(events) {
  const delays = [];
  const fresh = [];
  let [keystrokes, pressed, visible] = [0, undefined, false];
  for (const event of events) {
    if (event.key !== undefined) {
      if (event.key.length > 1 && event.key !== "Enter") continue;
      keystrokes += 1;
      pressed = event.at;
      continue;
    }
    if (event.ghost && pressed !== undefined) {
      delays.push(event.at - pressed);
      if (!visible) fresh.push(event.at - pressed);
      pressed = undefined; // the first drawing after a key counts
    }
    visible = event.ghost;
  }
  return {
    keystrokes,
    before_next: delays.length,
    share: keystrokes ? Math.round((delays.length / keystrokes) * 1_000) / 1_000 : 0,
    p50_ms: middle(delays),
    fresh: fresh.length,
    fresh_p50_ms: middle(fresh),
  };
}

function middle(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const one = sorted[Math.floor(sorted.length / 2)];
  return one === undefined ? null : Math.round(one * 10) / 10;
}
