/** The server's life: found, started, restarted, stopped, and what it says about itself. */

import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import {
  type CancellationToken,
  type Disposable,
  EventEmitter,
  extensions,
  type LogOutputChannel,
  window,
  workspace,
} from "vscode";
import type { Connection, Hooks } from "./client";
import { Power, read, readText } from "./config";
import { type Candidate, locate, unfit } from "./locate";
import { atMost } from "./patience";
import type { ServerStatus } from "./protocol";
import { Resting } from "./resting";
import { NOT_STARTED, type Phase, type Situation } from "./state";
import { Suggestions } from "./suggestions";

const FIRST_STATUS: ServerStatus = { kind: "loading", message: "Waiting for the server." };
const LOADING_PATIENCE = 30_000; // milliseconds
const RESTART_PATIENCE = 3_000; // milliseconds for the engine; a server that hangs never answers

/** Owns the connection. Starting and stopping wait for each other. */
export class Session implements Disposable {
  private readonly emitter = new EventEmitter<void>();
  readonly onDidChange = this.emitter.event;
  readonly power = new Power(() => this.emitter.fire());
  readonly suggestions: Suggestions;
  private readonly resting = new Resting(this.power, () => this.connection);
  connection: Connection | undefined;
  private phase: Phase = { kind: "finding" };
  private status: ServerStatus = FIRST_STATUS;
  private queue: Promise<void> = Promise.resolve();
  private leave: () => void = () => {};
  private turn = 0; // counts connections: one that was given up may still say something

  constructor(
    private readonly log: LogOutputChannel,
    private readonly version: string,
  ) {
    this.suggestions = new Suggestions(
      this.power,
      () => this.sayWhyNothing(),
      (token) => this.loaded(token),
    );
  }

  /** What the status bar shows for the active editor. */
  get situation(): Situation {
    return { phase: this.phase, hold: this.power.hold(window.activeTextEditor?.document) };
  }

  /** The program that runs, or "". */
  get program(): string {
    return this.connection?.program.path ?? "";
  }

  start(): Promise<void> {
    return this.inTurn(() => this.startNow());
  }

  restart(): Promise<void> {
    this.leave();
    return this.inTurn(async () => {
      if (this.connection && this.phase.kind === "running") {
        const params = { command: "dcomplete.restartEngine", arguments: [] };
        await atMost(RESTART_PATIENCE, this.connection.request("workspace/executeCommand", params));
      }
      await this.stopNow();
      await this.startNow();
    });
  }

  stop(): Promise<void> {
    this.leave();
    return this.inTurn(() => this.stopNow());
  }

  /** The settings changed: tell the server, or start another one. */
  async configure(otherServer: boolean): Promise<void> {
    this.power.follow();
    this.emitter.fire();
    if (otherServer) await this.restart();
    else await this.connection?.configure();
  }

  dispose(): void {
    this.power.dispose();
    this.resting.dispose();
    this.suggestions.dispose();
    this.emitter.dispose();
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(work, work);
    return this.queue;
  }

  private async startNow(): Promise<void> {
    if (this.connection) return;
    this.enter({ kind: "finding" });
    const found = await findServer();
    const unusable = found && unfit(found.path, process.platform);
    if (found === undefined || unusable !== undefined) {
      const message = unusable ?? absent(readText("serverPath"));
      this.log.warn(message);
      this.enter({ kind: "missing", message });
      return;
    }
    this.log.info(`Starting the server found in ${found.place}.`);
    this.enter({ kind: "starting" });
    await this.connect(found.path);
  }

  private async connect(path: string): Promise<void> {
    const before = performance.now();
    const { Connection } = await import("./client");
    const given = read("serverArguments");
    const program = {
      path,
      arguments: Array.isArray(given) ? given.map(String) : [],
      extensionVersion: this.version,
    };
    const turn = ++this.turn;
    this.connection = new Connection(program, this.log, this.hooks(turn));
    this.suggestions.connection = this.connection;
    this.log.info(`Loaded the language client in ${(performance.now() - before).toFixed(1)} ms.`);
    const left = new Promise<void>((resolve) => {
      this.leave = resolve; // whoever stops or restarts does not wait for a start that hangs
    });
    try {
      await Promise.race([this.connection.start(), left]);
    } catch (error) {
      this.log.error(error instanceof Error ? error.message : String(error));
      if (turn === this.turn) this.enter({ kind: "failed", message: NOT_STARTED });
    }
  }

  private hooks(turn: number): Hooks {
    return {
      status: (status) => {
        if (turn !== this.turn) return;
        this.status = status;
        if (this.phase.kind === "running") this.enter({ kind: "running", status });
      },
      state: (state, message) => {
        if (turn !== this.turn) return;
        if (state === "running") this.enter({ kind: "running", status: this.status });
        else if (state === "failed") this.enter({ kind: "failed", message });
        else this.enter({ kind: "starting" });
      },
    };
  }

  private async stopNow(): Promise<void> {
    const connection = this.connection;
    this.turn++;
    this.connection = this.suggestions.connection = undefined;
    this.status = FIRST_STATUS;
    await connection?.stop();
  }

  private enter(phase: Phase): void {
    this.phase = phase;
    this.emitter.fire();
  }

  /** Whether an answer will come, but not yet. */
  private get loading(): boolean {
    const { kind } = this.phase;
    if (kind === "running") return this.status.kind === "loading";
    return kind === "finding" || kind === "starting";
  }

  private async loaded(token: CancellationToken): Promise<void> {
    if (!this.loading) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        for (const one of listeners) one.dispose();
        resolve();
      };
      const timer = setTimeout(done, LOADING_PATIENCE);
      const listeners = [
        token.onCancellationRequested(done),
        this.onDidChange(() => !this.loading && done()),
      ];
    });
  }

  /** The person asked and nothing came: say why, for a moment. */
  private sayWhyNothing(): void {
    const { phase, hold } = this.situation;
    const said = phase.kind === "running" ? phase.status.message : undefined;
    const message = hold?.message ?? said ?? "nothing to suggest here.";
    window.setStatusBarMessage(`$(dash) dcomplete: ${message}`, 4_000);
  }
}

function absent(setting: string): string {
  return setting
    ? `There is no program at dcomplete.serverPath (${setting}).`
    : "The dcomplete program is not installed, or not where it was looked for.";
}

/** The first place that holds the program; the workspace's own counts only if it is trusted. */
async function findServer(): Promise<Candidate | undefined> {
  const folders = workspace.isTrusted ? (workspace.workspaceFolders ?? []) : [];
  const around = {
    platform: process.platform,
    home: homedir(),
    env: process.env,
    setting: readText("serverPath"),
    folders: folders.filter(({ uri }) => uri.scheme === "file").map(({ uri }) => uri.fsPath),
    python: selectedPython(),
  };
  return await locate(around, (path) =>
    access(path, constants.X_OK).then(
      () => true,
      () => false,
    ),
  );
}

/** The Python extension's selected interpreter, if that extension runs and says so. */
function selectedPython(): string | undefined {
  const python = extensions.getExtension("ms-python.python");
  if (!python?.isActive || !workspace.isTrusted) return undefined;
  const path: unknown = python.exports?.environments?.getActiveEnvironmentPath?.()?.path;
  return typeof path === "string" && /[\\/]/.test(path) ? path : undefined;
}
