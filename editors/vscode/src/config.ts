/** The extension's settings, read from VS Code and written where the person set them. */

import { ConfigurationTarget, type TextDocument, workspace } from "vscode";
import { onBattery } from "./battery";
import { languageEnabled, type Reader, serverSettings } from "./settings";
import { type Circumstances, type Hold, holdFor } from "./state";

export const SECTION = "dcomplete";

/** Documents that suggestions are for. */
export const DOCUMENTS = [
  { scheme: "file" },
  { scheme: "untitled" },
  { scheme: "vscode-notebook-cell" },
  { scheme: "vscode-vfs" },
];

const BATTERY_EVERY = 60_000; // milliseconds

export const read: Reader = (key) => workspace.getConfiguration(SECTION).get(key);

export function readText(key: string): string {
  const value = read(key);
  return typeof value === "string" ? value : "";
}

/** The settings that the server gets. */
export function forServer(): Record<string, unknown> {
  return serverSettings(read);
}

/** Change a setting where it is set already, else for the user. */
export async function write(key: string, value: unknown): Promise<void> {
  const section = workspace.getConfiguration(SECTION);
  const at = section.inspect(key);
  let target = ConfigurationTarget.Global;
  if (at?.workspaceFolderValue !== undefined) target = ConfigurationTarget.WorkspaceFolder;
  else if (at?.workspaceValue !== undefined) target = ConfigurationTarget.Workspace;
  await section.update(key, value, target);
}

/** Asks the system now and then whether it runs on battery, only while a setting needs to know. */
export class Power {
  private discharging = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly changed: () => void) {
    this.follow();
  }

  /** Start or stop asking, as the settings say. */
  follow(): void {
    const wanted = read("pauseOnBattery") === true;
    if (wanted && this.timer === undefined) {
      this.timer = setInterval(() => void this.ask(), BATTERY_EVERY);
      void this.ask();
    } else if (!wanted) {
      this.dispose();
    }
  }

  circumstances(document: TextDocument | undefined): Circumstances {
    const language = document?.languageId ?? "";
    return {
      enabled: read("enabled") !== false,
      languageEnabled:
        document === undefined || languageEnabled(read("trigger.languages"), language),
      language,
      automatic: read("trigger.automatic") !== false,
      pauseOnBattery: read("pauseOnBattery") === true,
      onBattery: this.discharging,
    };
  }

  /** Why the extension does not ask for suggestions in a document by itself. */
  hold(document: TextDocument | undefined): Hold | undefined {
    return holdFor(this.circumstances(document));
  }

  dispose(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.discharging = false;
  }

  private async ask(): Promise<void> {
    const now = await onBattery();
    if (this.timer === undefined || now === this.discharging) return;
    this.discharging = now;
    this.changed();
  }
}
