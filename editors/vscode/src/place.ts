/** Where the person is in a document: what a custom request asks with, and where its answer goes. */

import { Position, Range, type TextDocument, type TextEditor, window, workspace } from "vscode";
import type { Connection } from "./client";
import { DOCUMENTS } from "./config";
import type { Ask, Formatting, Item } from "./protocol";

const LINES = 12; // of context that a panel shows on each side

/** The cursor's place at one version of a document. */
export interface Spot {
  document: TextDocument;
  version: number;
  position: Position;
}

/** The active editor's spot, or undefined and one sentence to the person. */
export function spotOf(editor: TextEditor | undefined): Spot | undefined {
  const scheme = editor?.document.uri.scheme;
  if (editor === undefined || scheme === "output" || scheme === "debug") {
    void window.showInformationMessage("Put the cursor into a text file first.");
    return undefined;
  }
  if (!DOCUMENTS.some((served) => served.scheme === scheme)) {
    void window.showInformationMessage("dcomplete does not suggest in documents of this kind.");
    return undefined;
  }
  const { document, selection } = editor;
  return { document, version: document.version, position: selection.active };
}

export function askAt(connection: Connection, editor: TextEditor, spot: Spot): Ask {
  const { line, character } = spot.position;
  return {
    textDocument: { uri: connection.uri(spot.document), version: spot.version },
    position: { line, character },
    context: { triggerKind: 1 },
    formattingOptions: formattingOf(editor.options),
  };
}

/** The lines before and after what an item replaces, for a panel. */
export function around(spot: Spot, item: Item | undefined): { before: string; after: string } {
  const { document } = spot;
  const { start, end } = rangeOf(spot, item);
  const first = new Position(Math.max(0, start.line - LINES), 0);
  const last = new Position(end.line + LINES + 1, 0);
  const text = (from: Position, to: Position) =>
    document.getText(document.validateRange(new Range(from, to))).replaceAll("\r\n", "\n");
  return { before: text(first, start), after: text(end, last).replace(/\n$/, "") };
}

export function rangeOf(spot: Spot, item: Item | undefined): Range {
  const range = item?.range;
  if (!range) return new Range(spot.position, spot.position);
  return new Range(range.start.line, range.start.character, range.end.line, range.end.character);
}

/** The editor that shows a spot's document, brought to the front with the cursor at the spot. */
export async function returnTo(spot: Spot): Promise<TextEditor | undefined> {
  const open = workspace.textDocuments.includes(spot.document);
  if (!open || spot.document.version !== spot.version) return undefined;
  return await goTo(spot.document, new Range(spot.position, spot.position));
}

/** The editor that shows a document, brought to the front; its cursor stays unless told otherwise. */
export async function goTo(document: TextDocument, selection?: Range): Promise<TextEditor> {
  const shown = window.visibleTextEditors.find((editor) => editor.document === document);
  return await window.showTextDocument(document, {
    ...(shown?.viewColumn === undefined ? {} : { viewColumn: shown.viewColumn }),
    ...(selection === undefined ? {} : { selection }),
  });
}

/** How an editor indents; VS Code's own defaults where it does not say. */
export function formattingOf(options: {
  readonly tabSize?: number | string;
  readonly insertSpaces?: boolean | string;
}): Formatting {
  const { tabSize, insertSpaces } = options;
  return {
    tabSize: typeof tabSize === "number" ? tabSize : 4,
    insertSpaces: typeof insertSpaces === "boolean" ? insertSpaces : true,
  };
}
