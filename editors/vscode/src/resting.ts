/** Tells the server where the cursor rests: what is around it can be read before the first key. */

import {
  type Disposable,
  type TextEditor,
  type TextEditorSelectionChangeEvent,
  window,
  workspace,
} from "vscode";
import type { Connection } from "./client";
import type { Power } from "./config";

const MOMENT = 200; // milliseconds: who holds an arrow key down does not rest
const AT_ONCE = 50; // milliseconds between a change and the move of the cursor that comes of it

export class Resting implements Disposable {
  private timer: NodeJS.Timeout | undefined;
  private changed = Number.NEGATIVE_INFINITY; // when a document was
  private readonly parts: Disposable[];

  constructor(
    private readonly power: Power,
    private readonly connection: () => Connection | undefined,
  ) {
    this.parts = [
      workspace.onDidChangeTextDocument(() => {
        clearTimeout(this.timer);
        this.changed = performance.now();
      }),
      window.onDidChangeTextEditorSelection((event) => this.moved(event)),
    ];
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const part of this.parts) part.dispose();
  }

  private moved({ textEditor, selections }: TextEditorSelectionChangeEvent): void {
    clearTimeout(this.timer);
    if (performance.now() - this.changed < AT_ONCE) return; // typing asks for suggestions itself
    const [one, ...others] = selections;
    if (!one?.isEmpty || others.length > 0) return;
    const { version } = textEditor.document;
    this.timer = setTimeout(() => this.rests(textEditor, version), MOMENT);
  }

  private rests({ document, selection }: TextEditor, version: number): void {
    const connection = this.connection();
    if (connection === undefined || document.version !== version) return;
    if (this.power.hold(document) !== undefined) return;
    const { line, character } = selection.active;
    void connection.notify("dcomplete/didRest", {
      textDocument: { uri: connection.uri(document), version },
      position: { line, character },
    });
  }
}
