/** What the status bar says: what the extension does, and why nothing appears. */

import type { ServerStatus } from "./protocol";

export type Phase =
  | { kind: "finding" }
  | { kind: "missing"; message: string }
  | { kind: "starting" }
  | { kind: "running"; status: ServerStatus }
  | { kind: "failed"; message: string };

export interface Situation {
  phase: Phase;
  /** Why the extension itself does not ask the server, or undefined. */
  hold: Hold | undefined;
}

/** A reason of the extension's own: the person's settings or the battery. */
export interface Hold {
  label: string;
  message: string;
}

export interface Bar {
  text: string;
  /** Plain sentences, the first of which answers "what is it doing?". */
  sentences: string[];
  level: "normal" | "quiet" | "warning" | "error";
}

/** Reasons that a person may want to act on; the others are the ordinary quiet of an editor. */
const LABELS: Record<string, string> = {
  disabled: "off here",
  private: "private file",
  "too-large": "file too large",
  popup: "popup open",
  busy: "engine busy",
  loading: "loading",
  "no-engine": "no engine",
};

const NAME = "dcomplete";

export const NOT_STARTED = "The server could not be started; the log says why.";

/** Text, explanation and colour of the status bar item. */
export function describe({ phase, hold }: Situation): Bar {
  switch (phase.kind) {
    case "finding":
      return bar("$(loading~spin)", "", ["Looking for the server."], "normal");
    case "starting":
      return bar("$(loading~spin)", "starting", ["Starting the server."], "normal");
    case "missing":
      return bar("$(warning)", "not installed", [phase.message], "warning");
    case "failed":
      return bar("$(error)", "stopped", [phase.message], "error");
    case "running":
      if (phase.status.kind === "error" || hold === undefined) return fromServer(phase.status);
      return bar("$(circle-slash)", hold.label, [hold.message], "quiet");
  }
}

function fromServer({ kind, reason, message, model }: ServerStatus): Bar {
  const label = LABELS[reason ?? ""] ?? "";
  const said = message ? [message] : [];
  const using = model ? [`Model: ${model}.`] : [];
  switch (kind) {
    case "loading":
      return bar(
        "$(loading~spin)",
        "loading",
        [...sentence(said, "The model is loading."), ...using],
        "normal",
      );
    case "busy":
      return bar("$(loading~spin)", "", [...sentence(said, "Thinking."), ...using], "normal");
    case "off":
      return bar(
        "$(circle-slash)",
        label || "off",
        [...sentence(said, "dcomplete is off."), ...using],
        "quiet",
      );
    case "error":
      return bar(
        "$(error)",
        label || "error",
        [...sentence(said, "Something went wrong; the log says what."), ...using],
        "error",
      );
    case "ready":
      if (reason)
        return bar("$(dash)", label, [`Nothing here: ${message ?? reason}`, ...using], "normal");
      return bar("$(check)", "", ["Ready.", ...said, ...using], "normal");
  }
}

function sentence(said: string[], otherwise: string): string[] {
  return said.length > 0 ? said : [otherwise];
}

function bar(icon: string, label: string, sentences: string[], level: Bar["level"]): Bar {
  return { text: label ? `${icon} ${NAME}: ${label}` : `${icon} ${NAME}`, sentences, level };
}

export interface Circumstances {
  enabled: boolean;
  languageEnabled: boolean;
  language: string;
  automatic: boolean;
  pauseOnBattery: boolean;
  onBattery: boolean;
}

/** Why an automatic suggestion is not asked for, or undefined. */
export function holdFor(now: Circumstances): Hold | undefined {
  if (!now.enabled) return { label: "off", message: "dcomplete is switched off." };
  if (!now.languageEnabled) {
    return { label: `off for ${now.language}`, message: `dcomplete is off for ${now.language}.` };
  }
  if (!now.automatic) {
    return { label: "when asked", message: "Suggestions come only when you ask for one." };
  }
  if (now.pauseOnBattery && now.onBattery) {
    const message =
      "Paused while this machine runs on battery. Ask for a suggestion by key to get one.";
    return { label: "on battery", message };
  }
  return undefined;
}

/** Whether a hold also stops what the person asks for by key. */
export function holdsInvoked(now: Circumstances): boolean {
  return !now.enabled || !now.languageEnabled;
}
