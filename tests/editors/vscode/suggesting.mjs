// Suggestions appear while typing and are taken whole, in parts, or another one instead.
import assert from "node:assert/strict";

export const ADD = "def add(a, b):\n    return\n\n\nprint(add(1, 2))\n";
export const AREA = `class Rectangle:
    def __init__(self, width, height):
        self.width = width
        self.height = height

    def area(self):
        return self.

    def perimeter(self):
        return 2 * (self.width + self.height)
`;

const PARTS = `def area(width, height):
    """The area of a rectangle."""
   


print(area(3, 4))
`;
const READ = `def read_lines(path):
    with open(path) as file:
        return file


for line in read_lines("notes.txt"):
    print(line)
`;

/** What the test binds, as a person may, besides the extension's own Alt+End. */
const KEYS = {
  acceptWord: "Control+Alt+w",
  next: "Control+Alt+n",
  previous: "Control+Alt+p",
};

export async function typeAndTab(workbench) {
  await workbench.file("tab.py", ADD, 2);
  const ghost = await workbench.typeUntilGhost(" ");
  await workbench.screenshot("ghost");
  const before = (await workbench.lines())[1];
  await workbench.press("Tab");
  await workbench.lineOtherThan(2, before);
  const [first] = ghost.split("\n");
  assert.equal((await workbench.saved("tab.py")).split("\n")[1], `    return ${first}`);
  return { ghost };
}

export async function acceptParts(workbench) {
  await workbench.file("parts.py", PARTS, 3);
  const ghost = await workbench.typeUntilGhost(" ");
  const [whole] = `    ${ghost}`.split("\n");
  const before = (await workbench.lines())[2];
  await workbench.press(KEYS.acceptWord);
  const word = await workbench.lineOtherThan(3, before);
  assert.ok(word.trim() !== "" && word.trimEnd().length < whole.length, word);
  assert.ok(whole.startsWith(word), word);
  const rest = (await workbench.waitGhost()).split("\n")[0];
  await workbench.press("Alt+End");
  await workbench.lineOtherThan(3, word);
  assert.equal((await workbench.saved("parts.py")).split("\n")[2], word + rest);
  return { ghost, word, rest };
}

/** Samples may be equal, so more than one place is tried. */
export async function cycle(workbench) {
  const tried = [];
  for (const [text, line, typed] of [
    [AREA, 7, "h"],
    [READ, 3, "."],
    [ADD, 2, " "],
  ]) {
    const name = `cycle${tried.length}.py`;
    await workbench.file(name, text, line);
    await workbench.typeUntilGhost(typed).catch(() => workbench.type(typed));
    const first = await workbench.ask();
    await workbench.pause(1_000);
    await workbench.press(KEYS.next);
    const second = await workbench.ghostOtherThan(first); // asks for the others, the first time
    await workbench.press(KEYS.previous);
    const third = await workbench.ghostOtherThan(second);
    tried.push([first, second, third]);
    await workbench.saved(name);
    if (second && third && second !== third) return { tried };
  }
  throw new Error(`Nothing to cycle through: ${JSON.stringify(tried)}`);
}

export async function manual(workbench) {
  await workbench.file("manual.py", ADD, 2);
  await workbench.menu("Suggest only when asked");
  try {
    await workbench.waitStatus(/when asked/);
    await workbench.focus();
    await workbench.type(" ");
    await workbench.pause(3_000);
    assert.equal(await workbench.ghost(), "");
    const byKey = await workbench.ask(30_000, () => workbench.press("Alt+Backslash"));
    await workbench.press("Escape");
    const ghost = await workbench.ask();
    await workbench.saved("manual.py");
    return { byKey, ghost };
  } finally {
    await workbench.menu("Suggest while typing");
    await workbench.waitStatus(/Ready\.|Nothing here|Thinking/);
  }
}
