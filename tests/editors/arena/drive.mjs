// The arena's page in a real browser. Prints one line of JSON for each check; the argument is
// {url, executable, artefacts}.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contrasts } from "./contrast.mjs";

const require = createRequire(new URL("../../../editors/vscode/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const { url, executable, artefacts } = JSON.parse(process.argv[2]);
const NAMES = /planted/;
const home = new URL(url).origin;

const profile = await mkdtemp(join(tmpdir(), "dcomplete-arena-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: executable,
  headless: true,
  viewport: { width: 1280, height: 760 },
  colorScheme: "light",
  reducedMotion: "reduce",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
const page = browser.pages()[0] ?? (await browser.newPage());
const troubles = [];
const asked = new Set();
page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
page.on("pageerror", (error) => troubles.push(String(error)));
page.on("request", (request) => asked.add(new URL(request.url()).origin));

const shot = (name) => page.screenshot({ path: join(artefacts, `arena-${name}.png`) });
const question = () => page.getByText("Which answer is better?").waitFor({ timeout: 10_000 });
const verdict = (words) => page.locator("#status.verdict", { hasText: words }).waitFor();
const marked = (side) => page.locator(`#${side} mark`).allInnerTexts();

const checks = {
  // The pair is seen without names; the token is not in the address; a reload shows the same pair.
  async open() {
    await page.goto(url);
    await question();
    assert.equal(page.url(), `${home}/`);
    assert.doesNotMatch(await page.content(), NAMES);
    assert.notDeepEqual(await marked("first"), await marked("second"));
    const before = [await marked("first"), await marked("second")];
    await page.reload();
    await question();
    assert.deepEqual([await marked("first"), await marked("second")], before);
    await shot("open");
  },

  async voteByKey() {
    await page.keyboard.press("1");
    await verdict("You chose the first.");
    assert.match(await page.locator("#first .who").innerText(), NAMES);
    assert.match(await page.locator("#second .who").innerText(), NAMES);
    assert.equal(await page.locator("#first.won").count(), 1);
    await page.keyboard.press("2"); // no second vote on the same pair
    await shot("revealed");
    await page.keyboard.press("Enter");
    await question();
    assert.doesNotMatch(await page.content(), NAMES);
  },

  async voteByMouse() {
    const box = await page.getByRole("button", { name: "Second" }).boundingBox();
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await verdict("You chose the second.");
    assert.equal(await page.locator("#second.won").count(), 1);
    await page.getByRole("button", { name: "Next pair" }).click();
    await question();
  },

  async tieNeitherSkip() {
    await page.keyboard.press("t");
    await verdict("A tie.");
    await page.keyboard.press("Enter");
    await question();
    await page.getByRole("button", { name: "Neither" }).click();
    await verdict("Neither of them.");
    await page.keyboard.press(" ");
    await question();
    const before = await page.evaluate(() => fetch("/api/pair").then((r) => r.json()));
    await page.keyboard.press("s");
    await page.waitForFunction(
      (id) => fetch("/api/pair").then(async (r) => (await r.json()).id !== id),
      before.id,
    );
    await question();
    assert.match(await page.locator("#tally").innerText(), /^4 votes/);
  },

  // A model's text is text: the hostile answer comes up within a few pairs and does nothing.
  async hostileText() {
    for (let seen = 0; seen < 8; seen += 1) {
      const texts = [...(await marked("first")), ...(await marked("second"))].join("");
      if (texts.includes("<script>")) {
        assert.equal(await page.title(), "dcomplete arena");
        assert.equal(await page.locator("#pair img, #pair script").count(), 0);
        return;
      }
      await page.keyboard.press("s");
      await page.waitForTimeout(150);
      await question();
    }
    throw new Error("the hostile answer was never shown");
  },

  async ranking() {
    assert.ok(await page.locator("#open-ranking").isDisabled());
    await page.keyboard.press("1");
    await verdict("You chose the first.");
    await page.keyboard.press("r");
    await page.locator("#ranking tbody tr").nth(1).waitFor();
    await page.locator("#ranking .notes li").first().waitFor();
    await shot("ranking");
    await page.getByRole("button", { name: "Close" }).click();
    await page.locator("#ranking").waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Ranking" }).click();
    await page.locator("#ranking tbody tr").nth(1).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#ranking").waitFor({ state: "hidden" });
    await page.keyboard.press("Enter");
    await question();
  },

  // Legible in both schemes, before and after the vote (WCAG AA: 4.5 to 1).
  async darkAndLight() {
    const least = {};
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await question();
      const found = await page.evaluate(contrasts);
      least[colorScheme] = found[0];
      assert.ok(found[0].ratio >= 4.5, JSON.stringify({ colorScheme, ...found[0] }));
    }
    await shot("dark");
    await page.keyboard.press("2");
    await verdict("You chose the second.");
    await shot("dark-revealed");
    await page.keyboard.press("Enter");
    await question();
    await page.emulateMedia({ colorScheme: "light" });
    return least;
  },

  async narrow() {
    await page.setViewportSize({ width: 420, height: 860 });
    const [first, second] = await Promise.all(
      ["#first", "#second"].map((side) => page.locator(side).boundingBox()),
    );
    assert.ok(second.y >= first.y + first.height, "one above the other");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 420, `the page is ${wide} wide`);
    await shot("narrow");
    await page.setViewportSize({ width: 1280, height: 760 });
  },

  async byRoles() {
    for (const name of ["First", "Tie", "Neither", "Second", "Skip", "Ranking"]) {
      assert.equal(await page.getByRole("button", { name, exact: false }).count(), 1, name);
    }
    for (const name of ["First", "Second"]) {
      await page.getByRole("region", { name }).waitFor();
    }
    await page.getByRole("status").waitFor();
    await page.locator("#first .code").focus();
    await page.keyboard.press("Tab");
    const next = await page.evaluate(() => document.activeElement?.parentElement?.id);
    assert.equal(next, "second");
  },

  // Another site in the same browser, cookie and all: it can neither read nor vote nor frame.
  async crossSite() {
    const pair = await page.evaluate(() => fetch("/api/pair").then((r) => r.json()));
    const other = createServer((_, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>another site</title><p>hello</p>");
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const evil = await browser.newPage();
    const answers = [];
    evil.on("response", (r) => r.url().startsWith(home) && answers.push(r.status()));
    const outcomes = [];
    for (const host of ["127.0.0.1", "localhost"]) {
      await evil.goto(`http://${host}:${other.address().port}/`);
      outcomes.push(await evil.evaluate(attack, { home, id: pair.id }));
    }
    await evil.close();
    other.close();
    for (const outcome of outcomes.flat()) assert.match(outcome, /refused|opaque|empty/);
    assert.ok(answers.length > 0, "nothing was even tried");
    assert.ok(
      answers.every((status) => status === 403 || status === 405),
      JSON.stringify(answers),
    );
    const after = await page.evaluate(() => fetch("/api/pair").then((r) => r.json()));
    assert.equal(after.id, pair.id);
    return { answers, outcomes };
  },

  async quiet() {
    assert.deepEqual(troubles, []);
    assert.deepEqual([...asked], [home]);
  },
};

/** In a page of another site: what it can try. */
async function attack({ home, id }) {
  const body = JSON.stringify({ id, choice: "first" });
  const told = async (options) => {
    try {
      const response = await fetch(`${home}/api/vote`, { credentials: "include", ...options });
      return response.type === "opaque" ? "opaque" : `answered ${response.status}`;
    } catch {
      return "refused";
    }
  };
  const json = { "content-type": "application/json" };
  const found = [
    await told({ method: "POST", body, headers: json }),
    await told({ method: "POST", body }),
    await told({ method: "POST", body, mode: "no-cors" }),
    await fetch(`${home}/api/pair`, { credentials: "include" }).then(
      (response) => `answered ${response.status}`,
      () => "refused",
    ),
  ];
  const frame = document.createElement("iframe");
  frame.name = "target";
  const loaded = () => new Promise((done) => frame.addEventListener("load", done, { once: true }));
  frame.src = `${home}/`;
  document.body.append(frame);
  await loaded();
  let inside = "empty";
  try {
    inside = frame.contentDocument?.title || "empty";
  } catch {
    // another origin's document, or an error page: it cannot be looked into
  }
  found.push(inside);
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: `${home}/api/vote`, target: "target" });
  form.enctype = "text/plain";
  const field = document.createElement("input");
  Object.assign(field, { name: body.slice(0, -1), value: '"}' });
  form.append(field);
  document.body.append(form);
  const sent = loaded();
  form.submit();
  await sent;
  return found;
}

for (const [name, check] of Object.entries(checks)) {
  const line = { check: name, ok: true };
  try {
    line.detail = (await check()) ?? {};
  } catch (error) {
    Object.assign(line, { ok: false, error: String(error) });
    await shot(`${name}-failed`).catch(() => undefined);
  }
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
await browser.close();
await rm(profile, { recursive: true, force: true });
