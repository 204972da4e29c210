/** "Watch it denoise": the gap is seen being filled, in the editor's line and in a side panel. */

import {
  CancellationTokenSource,
  commands,
  type Disposable,
  type ExtensionContext,
  Range,
  type TextEditor,
  type TextEditorDecorationType,
  ThemeColor,
  window,
} from "vscode";
import { asLine, decided } from "./canvas";
import type { Connection } from "./client";
import { Panel } from "./panel";
import { around, askAt, goTo, returnTo, type Spot, spotOf } from "./place";
import type { DenoiseStep, Item } from "./protocol";
import type { Session } from "./session";

const CHANGED = "The text changed meanwhile.";

/** One watched request at a time; the panel stays for the next. */
export class Watch implements Disposable {
  private panel: Panel | undefined;
  private running: CancellationTokenSource | undefined;
  private last: { spot: Spot; items: Item[] } | undefined;

  constructor(
    private readonly context: ExtensionContext,
    private readonly session: Session,
  ) {}

  /** Ask at the cursor and show every step; the final text becomes an ordinary suggestion. */
  async start(): Promise<void> {
    const editor = window.activeTextEditor;
    const spot = spotOf(editor);
    const connection = this.session.connection;
    if (editor === undefined || spot === undefined) return;
    if (connection === undefined) {
      void window.showInformationMessage("The server does not run; the status bar says why.");
      return;
    }
    this.running?.cancel();
    const run = new CancellationTokenSource();
    this.running = run;
    this.last = undefined;
    this.show();
    this.panel?.post({ type: "begin", ...around(spot, undefined) });
    const decoration = window.createTextEditorDecorationType({});
    try {
      await this.follow(connection, editor, spot, run, decoration);
    } catch (error) {
      // A cancelled run has no say: the panel is the next one's by now.
      if (!run.token.isCancellationRequested) {
        this.panel?.post({ type: "nothing", message: sentenceOf(error) });
      }
    } finally {
      decoration.dispose();
      run.dispose();
      if (this.running === run) this.running = undefined;
    }
  }

  dispose(): void {
    this.running?.cancel();
    this.panel?.dispose();
  }

  private async follow(
    connection: Connection,
    editor: TextEditor,
    spot: Spot,
    run: CancellationTokenSource,
    decoration: TextEditorDecorationType,
  ): Promise<void> {
    const onStep = (step: DenoiseStep) => {
      if (run.token.isCancellationRequested) return;
      this.panel?.post({ type: "step", ...step, ...decided(step) });
      draw(editor, spot, decoration, step);
    };
    const found = await connection.watch(askAt(connection, editor, spot), onStep, run.token);
    if (run.token.isCancellationRequested) return;
    const [item] = found?.items ?? [];
    if (found === null || item === undefined) {
      const message = found === null ? CHANGED : this.whyNothing();
      this.panel?.post({ type: "nothing", message });
      return;
    }
    this.last = { spot, items: found.items };
    this.panel?.post({ type: "done", text: item.insertText, ...around(spot, item) });
    editor.setDecorations(decoration, []);
    await this.suggest();
  }

  private whyNothing(): string {
    const { phase } = this.session.situation;
    return (phase.kind === "running" && phase.status.message) || "Nothing to suggest here.";
  }

  /** Show the final text as ghost text, to be taken whole, by word or by line, or not at all. */
  private async suggest(): Promise<boolean> {
    const connection = this.session.connection;
    if (this.last === undefined || connection === undefined) return false;
    const { spot, items } = this.last;
    if ((await returnTo(spot)) === undefined) return false;
    this.session.suggestions.offer(spot.document, spot.position, await connection.items(items));
    await commands.executeCommand("editor.action.inlineSuggest.trigger");
    return true;
  }

  /** Take the final text. Where that cannot be, some other suggestion may be on screen: leave it. */
  private async insert(): Promise<void> {
    if (await this.suggest()) await commands.executeCommand("editor.action.inlineSuggest.commit");
    else this.panel?.post({ type: "nothing", message: CHANGED });
  }

  /** Ask once more, where the cursor is now in the document that was asked about. */
  private async again(): Promise<void> {
    const document = this.last?.spot.document;
    if (document === undefined || document.isClosed) {
      this.panel?.post({ type: "nothing", message: "The document is no longer open." });
      return;
    }
    await goTo(document);
    await this.start();
  }

  private show(): void {
    if (this.panel?.isOpen) {
      this.panel.reveal();
      return;
    }
    const handler = ({ type }: { type: string }) => {
      if (type === "insert") void this.insert();
      if (type === "again") void this.again();
    };
    const closed = () => {
      this.running?.cancel();
      this.panel = undefined;
    };
    this.panel = new Panel(
      this.context.extensionUri,
      "watch",
      "dcomplete: denoising",
      handler,
      closed,
    );
  }
}

function draw(
  editor: TextEditor,
  spot: Spot,
  decoration: TextEditorDecorationType,
  { rows }: DenoiseStep,
): void {
  const [row] = rows;
  if (row === undefined || spot.document.version !== spot.version) return;
  const contentText = asLine(row).replaceAll(" ", "\u00a0"); // a decoration folds plain spaces
  const color = new ThemeColor("editorGhostText.foreground");
  const range = new Range(spot.position, spot.position);
  editor.setDecorations(decoration, [{ range, renderOptions: { after: { contentText, color } } }]);
}

export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
