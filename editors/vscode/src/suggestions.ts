/** Between VS Code and the server: what is asked for, what is on screen, what became of it. */

import {
  type CancellationToken,
  type Disposable,
  type InlineCompletionContext,
  type InlineCompletionItem,
  InlineCompletionTriggerKind,
  languages,
  type Position,
  Range,
  type TextDocument,
  type TextDocumentChangeEvent,
  workspace,
} from "vscode";
import type { Connection } from "./client";
import { DOCUMENTS, type Power } from "./config";
import { follow, type Shown } from "./following";
import { holdsInvoked } from "./state";

interface Offer {
  document: TextDocument;
  version: number;
  position: Position;
  items: InlineCompletionItem[];
}

interface OnScreen extends Shown {
  document: TextDocument;
  start: Position;
  before: string;
  item: InlineCompletionItem;
}

/**
 * Serves the editor's requests, since before the server runs: a key that is pressed meanwhile is answered
 * when it does. VS Code does not ask again by itself.
 */
export class Suggestions implements Disposable {
  connection: Connection | undefined;
  private offered: Offer | undefined;
  private onScreen: OnScreen | undefined;
  private readonly parts: Disposable[];

  /**
   * @param silent called when the person asked and there is nothing to show
   * @param loaded resolves when server and model are no longer loading, or the token is cancelled
   */
  constructor(
    private readonly power: Power,
    private readonly silent: () => void,
    private readonly loaded: (token: CancellationToken) => Promise<void>,
  ) {
    this.parts = [
      workspace.onDidChangeTextDocument((event) => this.changed(event)),
      languages.registerInlineCompletionItemProvider(DOCUMENTS, {
        provideInlineCompletionItems: (...asked) => this.provide(...asked),
      }),
    ];
  }

  /** Show these next at this place instead of asking the server, as long as nothing changes. */
  offer(document: TextDocument, position: Position, items: InlineCompletionItem[]): void {
    this.offered = { document, version: document.version, position, items };
  }

  async provide(
    document: TextDocument,
    position: Position,
    context: InlineCompletionContext,
    token: CancellationToken,
  ): Promise<InlineCompletionItem[] | undefined> {
    const invoked = context.triggerKind === InlineCompletionTriggerKind.Invoke;
    let items = this.offerFor(document, position, context);
    if (items === undefined) {
      if (this.held(document, invoked)) {
        if (invoked) this.silent();
        return undefined;
      }
      const version = document.version;
      await this.loaded(token);
      if (token.isCancellationRequested || this.connection === undefined) return undefined;
      items = await this.connection.suggest(document, position, context, token);
      if (token.isCancellationRequested || document.version !== version) return items;
    }
    if (invoked && items.length === 0) this.silent();
    this.shows(document, position, items[0]);
    return items;
  }

  dispose(): void {
    for (const part of this.parts) part.dispose();
  }

  private held(document: TextDocument, invoked: boolean): boolean {
    const now = this.power.circumstances(document);
    return invoked ? holdsInvoked(now) : this.power.hold(document) !== undefined;
  }

  private offerFor(
    document: TextDocument,
    position: Position,
    context: InlineCompletionContext,
  ): InlineCompletionItem[] | undefined {
    const offer = this.offered;
    if (offer === undefined || context.selectedCompletionInfo) return undefined;
    const fits =
      offer.document === document &&
      offer.version === document.version &&
      offer.position.isEqual(position);
    if (!fits) this.offered = undefined;
    return fits ? offer.items : undefined;
  }

  /** VS Code draws the first item; stable extensions are not told when, so this is the moment. */
  private shows(
    document: TextDocument,
    position: Position,
    item: InlineCompletionItem | undefined,
  ): void {
    const id = item?.command?.arguments?.[0];
    if (item === undefined || typeof id !== "string") return;
    const text = typeof item.insertText === "string" ? item.insertText : item.insertText.value;
    const start = item.range?.start ?? position;
    const before = document.getText(new Range(start, position));
    if (this.onScreen?.id !== id) {
      void this.connection?.notify("textDocument/didShowCompletion", {
        item: this.connection.raw(item),
      });
    }
    this.onScreen = { id, text, document, start, before, item };
  }

  private changed({ document, contentChanges }: TextDocumentChangeEvent): void {
    const shown = this.onScreen;
    const [change] = contentChanges;
    if (shown === undefined || shown.document !== document || change === undefined) return;
    if (contentChanges.length > 1 || change.range.start.isBefore(shown.start)) {
      this.onScreen = undefined;
      return;
    }
    const end = document.positionAt(change.rangeOffset + change.text.length);
    const now = document.getText(new Range(shown.start, end)).replaceAll("\r\n", "\n");
    const outcome = follow(shown, shown.before, now);
    if (outcome.kind === "taken") {
      void this.connection?.notify("textDocument/didPartiallyAcceptCompletion", {
        item: this.connection.raw(shown.item),
        acceptedLength: outcome.length,
      });
    }
    const over = outcome.kind === "diverged" || outcome.kind === "whole";
    this.onScreen = over ? undefined : { ...shown, before: now };
  }
}
