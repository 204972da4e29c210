/** The menu behind the status bar item. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { commands, type QuickPickItem, QuickPickItemKind, window } from "vscode";
import { read, readText, write } from "./config";
import type { Session } from "./session";
import { languageEnabled } from "./settings";
import { describe } from "./state";

const run = promisify(execFile);

interface Entry extends QuickPickItem {
  run?: () => unknown;
}

export async function showMenu(session: Session): Promise<void> {
  const { sentences } = describe(session.situation);
  const placeHolder = sentences.join(" ");
  const chosen = await window.showQuickPick(entries(session), { title: "dcomplete", placeHolder });
  await chosen?.run?.();
}

function entries(session: Session): Entry[] {
  const language = window.activeTextEditor?.document.languageId;
  const missing = session.situation.phase.kind === "missing";
  return [
    ...(missing
      ? [command("$(cloud-download) Install the server\u2026", "dcomplete.install")]
      : []),
    command(
      read("enabled") !== false ? "$(circle-slash) Turn off" : "$(check) Turn on",
      "dcomplete.toggle",
    ),
    ...(language ? [languageEntry(language)] : []),
    automaticEntry(),
    batteryEntry(),
    {
      label: "$(server) Model\u2026",
      description: readText("model.name") || "default",
      run: () => chooseModel(session),
    },
    { label: "Here", kind: QuickPickItemKind.Separator },
    command("$(lightbulb) Suggest now", "dcomplete.trigger"),
    command("$(eye) Watch it denoise", "dcomplete.watch"),
    command("$(split-horizontal) Compare two", "dcomplete.compare"),
    { label: "Server", kind: QuickPickItemKind.Separator },
    command("$(output) Show log", "dcomplete.showLog"),
    command("$(debug-restart) Restart", "dcomplete.restart"),
    command("$(pulse) Doctor", "dcomplete.doctor"),
    {
      label: "$(gear) Settings",
      run: () =>
        commands.executeCommand("workbench.action.openSettings", "@ext:dcomplete.dcomplete"),
    },
  ];
}

function command(label: string, id: string): Entry {
  return { label, run: () => commands.executeCommand(id) };
}

function languageEntry(language: string): Entry {
  const on = languageEnabled(read("trigger.languages"), language);
  return command(
    on ? `$(circle-slash) Turn off for ${language}` : `$(check) Turn on for ${language}`,
    "dcomplete.toggleLanguage",
  );
}

function automaticEntry(): Entry {
  const on = read("trigger.automatic") !== false;
  return {
    label: on ? "$(keyboard) Suggest only when asked" : "$(keyboard) Suggest while typing",
    run: () => write("trigger.automatic", !on),
  };
}

function batteryEntry(): Entry {
  const on = read("pauseOnBattery") === true;
  return {
    label: on ? "$(zap) Do not pause on battery" : "$(zap) Pause on battery",
    run: () => write("pauseOnBattery", !on),
  };
}

async function chooseModel(session: Session): Promise<void> {
  const now = readText("model.name");
  const names = await installedModels(session.program);
  const items: Entry[] = ["", ...names].map((name) => ({
    label: name || "default",
    description: name === now ? "in use" : "",
    run: () => write("model.name", name),
  }));
  items.push({ label: "$(folder) A folder or another name\u2026", run: () => typeModel(now) });
  const chosen = await window.showQuickPick(items, { title: "dcomplete: model" });
  await chosen?.run?.();
}

async function typeModel(now: string): Promise<void> {
  const prompt = "Name of an installed model, or a folder with one. Empty is the default.";
  const name = await window.showInputBox({ title: "dcomplete: model", prompt, value: now });
  if (name !== undefined) await write("model.name", name.trim());
}

/** Names as `dcomplete models list` says them; none where the program cannot be asked. */
async function installedModels(program: string): Promise<string[]> {
  if (!program) return [];
  try {
    const { stdout } = await run(program, ["models", "list", "--json"], { timeout: 20_000 });
    const rows = JSON.parse(stdout) as { name: string; default: boolean; installed?: boolean }[];
    return rows.filter((row) => !row.default && row.installed !== false).map((row) => row.name);
  } catch {
    return [];
  }
}
