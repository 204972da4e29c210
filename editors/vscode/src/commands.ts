/** Every command of the extension, by its id. */

import {
  commands,
  type Disposable,
  type LogOutputChannel,
  ProcessExecution,
  Task,
  TaskScope,
  tasks,
  window,
} from "vscode";
import type { Compare } from "./compare";
import { read, write } from "./config";
import { installers } from "./locate";
import { showMenu } from "./menu";
import type { Session } from "./session";
import { toggledLanguage } from "./settings";
import type { Watch } from "./watch";

export interface Parts {
  session: Session;
  watch: Watch;
  compare: Compare;
  log: LogOutputChannel;
}

export function register({ session, watch, compare, log }: Parts): Disposable[] {
  const editorCommand = (id: string) => () =>
    commands.executeCommand(`editor.action.inlineSuggest.${id}`);
  const all: Record<string, () => unknown> = {
    trigger: editorCommand("trigger"),
    acceptWord: editorCommand("acceptNextWord"),
    acceptLine: editorCommand("acceptNextLine"),
    next: editorCommand("showNext"),
    previous: editorCommand("showPrevious"),
    toggle: () => write("enabled", read("enabled") === false),
    toggleLanguage,
    watch: () => watch.start(),
    compare: () => compare.start(),
    voteFirst: () => compare.vote("first"),
    voteSecond: () => compare.vote("second"),
    voteTie: () => compare.vote("tie"),
    voteNeither: () => compare.vote("neither"),
    showLog: () => log.show(),
    doctor: () => doctor(session),
    restart: () => session.restart(),
    install,
    showMenu: () => showMenu(session),
  };
  return Object.entries(all).map(([name, run]) =>
    commands.registerCommand(`dcomplete.${name}`, run),
  );
}

async function toggleLanguage(): Promise<void> {
  const language = window.activeTextEditor?.document.languageId;
  if (language === undefined) {
    void window.showInformationMessage("Open a file of the language first.");
    return;
  }
  await write("trigger.languages", toggledLanguage(read("trigger.languages"), language));
}

/** `dcomplete doctor` in the terminal panel, without a shell between. */
async function doctor(session: Session): Promise<void> {
  if (!session.program) {
    await offerInstall("The doctor is part of the server, which is not installed.");
    return;
  }
  const run = new ProcessExecution(session.program, ["doctor"]);
  const task = new Task({ type: "dcomplete" }, TaskScope.Global, "doctor", "dcomplete", run, []);
  task.presentationOptions = { clear: true, showReuseMessage: false };
  await tasks.executeTask(task);
}

/** Say once that the server is missing, and offer what to do. */
export async function offerInstall(message: string): Promise<void> {
  const [install, settings] = ["Install\u2026", "Choose a path"];
  const chosen = await window.showWarningMessage(message, install, settings);
  if (chosen === install) await commands.executeCommand("dcomplete.install");
  if (chosen === settings) {
    await commands.executeCommand("workbench.action.openSettings", "dcomplete.serverPath");
  }
}

/** Type the chosen command into a terminal; the person completes it and presses Enter, or does not. */
async function install(): Promise<void> {
  const items = installers(process.platform).map(({ label, command }) => ({
    label,
    detail: command,
    command,
  }));
  const chosen = await window.showQuickPick(items, {
    title: "dcomplete: install the server",
    placeHolder:
      "Typed into a terminal: put the folder of dcomplete's sources in, press Enter, then restart dcomplete.",
  });
  if (chosen === undefined) return;
  const terminal = window.createTerminal("dcomplete: install");
  terminal.show();
  terminal.sendText(chosen.command, false);
}
