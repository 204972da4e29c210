// A real VS Code in a headless browser, with words for what a person does and sees there.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { watchPage } from "./page.mjs";

const require = createRequire(new URL("../../../editors/vscode/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const GHOST = '[class*="ghost-text"]';
const STATUS = '[id="dcomplete.dcomplete.dcomplete.status"]';
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export class Workbench {
  static async open({ url, executable, workspace, settings, artefacts }) {
    const profile = await mkdtemp(join(tmpdir(), "dcomplete-browser-"));
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath: executable,
      headless: true,
      viewport: { width: 1200, height: 720 },
      args: ARGUMENTS,
    });
    const page = browser.pages()[0] ?? (await browser.newPage());
    await page.goto(url);
    const workbench = new Workbench(page, browser, { profile, workspace, settings, artefacts });
    await workbench.ready();
    return workbench;
  }

  constructor(page, browser, places) {
    Object.assign(this, { page, browser, ...places });
  }

  async ready() {
    await this.page.waitForSelector(".monaco-workbench", { timeout: 60_000 });
    await this.page.waitForSelector(STATUS, { timeout: 60_000 });
    await this.page.evaluate(watchPage, { ghost: GHOST, status: STATUS });
  }

  async close() {
    await this.browser.close();
    await rm(this.profile, { recursive: true, force: true });
  }

  // --- what a person does ---

  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async type(text, delay = 20) {
    await this.page.keyboard.type(text, { delay });
  }

  /** Run a command of the palette by its whole title. */
  async command(title) {
    const input = await this.quickInput("F1");
    await input.fill(`>${title}`);
    const row = this.page.locator(".quick-input-list .monaco-list-row").first();
    await row.filter({ hasText: title.split(": ").at(-1) }).waitFor({ timeout: 30_000 });
    await this.press("Enter");
    await input.waitFor({ state: "hidden", timeout: 5_000 }).catch(() => undefined);
  }

  /** Write a file of the workspace, open it, and put the cursor at the end of a line. */
  async file(name, text, line) {
    await writeFile(join(this.workspace, name), text);
    await this.show(name, line);
  }

  async show(name, line) {
    const input = await this.quickInput("Control+p");
    const path = resolve(this.workspace, name);
    await input.fill(path);
    const row = this.page.locator(".quick-input-list .monaco-list-row").first();
    await row.filter({ hasText: basename(path) }).waitFor({ timeout: 30_000 });
    await this.press("Enter");
    const tab = this.page.locator(`.tab.active[data-resource-name="${basename(path)}"]`);
    await tab.waitFor({ timeout: 30_000 });
    await this.page.locator(".editor-instance .view-line").first().waitFor({ timeout: 30_000 });
    await this.goto(line);
  }

  /** Put the cursor at the end of a line of the active editor. */
  async goto(line) {
    const input = await this.quickInput("Control+g");
    await input.fill(`:${line}`);
    await this.press("Enter");
    await input.waitFor({ state: "hidden", timeout: 30_000 });
    await this.press("End");
  }

  async focus() {
    await this.press("Control+1");
  }

  /** The box that a key opens; the workbench ignores keys while it moves the focus, so try again. */
  async quickInput(key) {
    const input = this.page.locator(".quick-input-widget:visible input").first();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await this.press(key);
      try {
        await input.waitFor({ timeout: 3_000 });
        return input;
      } catch {
        await this.press("Escape");
      }
    }
    throw new Error(`The quick input did not open on ${key}.`);
  }

  /** The text on disk after saving. */
  async saved(name) {
    await this.pause(200); // the tab is marked as changed a little after the key
    await this.press("Control+s");
    await this.pause(200);
    const tab = this.page.locator(".editor-group-container.active .tab.active:not(.dirty)");
    await tab.waitFor({ timeout: 30_000 });
    return await readFile(resolve(this.workspace, name), "utf8");
  }

  /** Click the status bar item and choose an entry of its menu. */
  async menu(entry) {
    await this.page.locator(`${STATUS} a`).click();
    const row = this.page.locator(".quick-input-list .monaco-list-row", { hasText: entry });
    await row.first().click({ timeout: 30_000 });
    await this.pause(700);
  }

  /** Change the user's settings; without native modules VS Code watches no files, so it is loaded anew. */
  async restartWith(settings) {
    const now = JSON.parse(await readFile(this.settings, "utf8"));
    await writeFile(this.settings, JSON.stringify({ ...now, ...settings }));
    await this.restart();
  }

  /** Load the window anew; its editors come back. */
  async restart() {
    const accept = (dialog) => void dialog.accept();
    this.page.on("dialog", accept);
    await this.page.reload();
    await this.ready();
    this.page.off("dialog", accept);
  }

  /** Leave the panels, boxes and messages of a check behind. */
  async tidy() {
    await this.focus();
    await this.press("Escape", "Escape");
    await this.command("View: Close Editors in Other Groups");
    await this.command("Notifications: Clear All Notifications");
  }

  async pause(milliseconds) {
    await this.page.waitForTimeout(milliseconds);
  }

  async screenshot(name) {
    await this.page.screenshot({ path: join(this.artefacts, `vscode-${name}.png`) });
  }

  // --- what a person sees ---

  /** The grey text; "" where there is none. */
  async ghost() {
    return await this.page.evaluate(() => globalThis.dcomplete.ghost());
  }

  /** Wait for grey text, or for its end. */
  async waitGhost(wanted = true, timeout = 60_000) {
    await this.page.waitForFunction(
      (wanted) => (globalThis.dcomplete.ghost() !== "") === wanted,
      wanted,
      { timeout, polling: 50 },
    );
    return await this.ghost();
  }

  /** The grey text as soon as it is another one; the same where that does not happen. */
  async ghostOtherThan(text, timeout = 4_000) {
    const other = (text) => ![text, ""].includes(globalThis.dcomplete.ghost());
    await this.page.waitForFunction(other, text, { timeout, polling: 50 }).catch(() => undefined);
    return await this.ghost();
  }

  /** A line of the focused editor as soon as it is another one. */
  async lineOtherThan(number, text) {
    const other = ([number, text]) => globalThis.dcomplete.lines()[number - 1] !== text;
    await this.page.waitForFunction(other, [number, text], { timeout: 30_000, polling: 50 });
    return (await this.lines())[number - 1];
  }

  /**
   * Type and wait for grey text. Right after it has opened a file VS Code now and then does not ask at the
   * first key, and then asks only at the next one: so type again.
   */
  async typeUntilGhost(text) {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await this.type(text);
      try {
        return await this.waitGhost(true, 20_000);
      } catch {
        for (const _ of text) await this.press("Backspace");
      }
    }
    throw new Error("No grey text after typing three times.");
  }

  /** Ask by command until there is grey text: the first request may come while the model loads. */
  async ask(timeout = 30_000, trigger = () => this.command("dcomplete: Suggest Here")) {
    const end = Date.now() + timeout;
    for (;;) {
      await trigger();
      try {
        return await this.waitGhost(true, 6_000);
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
  }

  /** The status bar item's label and sentences, now. */
  async status() {
    return await this.page.evaluate(() => globalThis.dcomplete.status());
  }

  async waitStatus(pattern, timeout = 60_000) {
    await this.page.waitForFunction(
      (source) => new RegExp(source).test(globalThis.dcomplete.status()),
      pattern.source,
      { timeout, polling: 50 },
    );
  }

  /** Everything that the status bar item said since the page was opened. */
  async statusHistory() {
    return await this.page.evaluate(() => globalThis.dcomplete.said);
  }

  /** Wait until something was said after the first `from` things. */
  async waitSaid(pattern, from, timeout) {
    await this.page.waitForFunction(
      ([source, from]) =>
        globalThis.dcomplete.said.slice(from).some((one) => new RegExp(source).test(one)),
      [pattern.source, from],
      { timeout, polling: 50 },
    );
  }

  /** Visible lines of the focused editor, without the grey text. */
  async lines() {
    return await this.page.evaluate(() => globalThis.dcomplete.lines());
  }

  /** The content of the side panel. */
  webview() {
    return this.page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
  }

  /** Fails if a warning or an error is on screen, other than the one about a path of the tests. */
  async noErrors() {
    const bad = this.page.locator(".codicon-error, .codicon-warning");
    const toasts = this.page.locator(".notification-toast", { has: bad });
    const texts = (await toasts.allInnerTexts()).filter((text) => !text.includes("/nowhere/"));
    if (texts.length > 0) throw new Error(`VS Code shows: ${texts.join(" ")}`);
  }
}
