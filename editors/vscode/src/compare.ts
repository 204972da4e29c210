/** "Compare two": two suggestions without names; who made which is told after the vote. */

import {
  type CancellationToken,
  commands,
  type Disposable,
  type ExtensionContext,
  ProgressLocation,
  window,
} from "vscode";
import { read } from "./config";
import { Panel } from "./panel";
import { around, askAt, rangeOf, returnTo, type Spot, spotOf } from "./place";
import type { Choice, Comparison, Contestant, Names } from "./protocol";
import type { Session } from "./session";
import { contestantName, contestants } from "./settings";
import { sentenceOf } from "./watch";

const CHOICES: readonly unknown[] = ["first", "second", "tie", "neither"];

interface Open {
  spot: Spot;
  comparison: Comparison;
}

/** One comparison at a time. Voting keys work while it is seen: they mean other things elsewhere. */
export class Compare implements Disposable {
  private panel: Panel | undefined;
  private current: Open | undefined;

  constructor(
    private readonly context: ExtensionContext,
    private readonly session: Session,
  ) {}

  /** Ask the two contestants of the settings at the cursor and show both answers. */
  async start(): Promise<void> {
    const pair = contestants(read("compare.contestants"));
    if (typeof pair === "string") {
      void window.showErrorMessage(pair);
      return;
    }
    const spot = spotOf(window.activeTextEditor);
    if (spot === undefined) return;
    const options = {
      location: ProgressLocation.Notification,
      title: "dcomplete asks two contestants",
      cancellable: true,
    };
    try {
      const comparison = await window.withProgress(options, (_, token) =>
        this.ask(spot, pair, token),
      );
      if (comparison !== undefined) this.show(spot, comparison);
    } catch (error) {
      void window.showErrorMessage(`dcomplete: ${sentenceOf(error)}`);
    }
  }

  /** Send the vote, insert what was chosen, and tell the names. */
  async vote(choice: Choice): Promise<void> {
    const open = this.current;
    const connection = this.session.connection;
    if (open === undefined || connection === undefined) return;
    this.finish();
    try {
      const params = { id: open.comparison.id, choice };
      const names = await connection.request<Names>("dcomplete/vote", params);
      this.panel?.post({
        type: "names",
        choice,
        first: contestantName(names.first),
        second: contestantName(names.second),
      });
      await insert(open, choice);
    } catch (error) {
      void window.showErrorMessage(`dcomplete: ${sentenceOf(error)}`);
    }
  }

  dispose(): void {
    this.panel?.dispose();
  }

  private async ask(
    spot: Spot,
    pair: [Contestant, Contestant],
    token: CancellationToken,
  ): Promise<Comparison | undefined> {
    const connection = this.session.connection;
    const editor = window.activeTextEditor;
    if (connection === undefined || editor === undefined) {
      void window.showInformationMessage("The server does not run; the status bar says why.");
      return undefined;
    }
    const params = { ...askAt(connection, editor, spot), contestants: pair };
    const comparison = await connection.request<Comparison | null>(
      "dcomplete/compare",
      params,
      token,
    );
    if (token.isCancellationRequested) return undefined;
    if (comparison === null || comparison.items.every((item) => item === null)) {
      void window.showInformationMessage("dcomplete: neither contestant suggests anything here.");
      return undefined;
    }
    return comparison;
  }

  private show(spot: Spot, comparison: Comparison): void {
    this.panel?.dispose();
    const handler = (message: { type: string; value?: unknown }) => {
      if (message.type === "vote" && CHOICES.includes(message.value)) {
        void this.vote(message.value as Choice);
      }
    };
    const panel: Panel = new Panel(
      this.context.extensionUri,
      "compare",
      "dcomplete: compare",
      handler,
      () => {
        if (this.panel === panel) this.finish();
      },
      (visible) => {
        if (this.panel === panel) this.offerKeys(visible);
      },
    );
    this.panel = panel;
    this.current = { spot, comparison };
    this.offerKeys(true);
    const [first, second] = comparison.items;
    panel.post({
      type: "begin",
      first: { ...around(spot, first ?? undefined), text: first?.insertText ?? null },
      second: { ...around(spot, second ?? undefined), text: second?.insertText ?? null },
    });
  }

  private offerKeys(visible: boolean): void {
    const comparing = visible && this.current !== undefined;
    void commands.executeCommand("setContext", "dcomplete.comparing", comparing);
  }

  private finish(): void {
    this.current = undefined;
    this.offerKeys(false);
  }
}

/** Put the chosen text into the document, if that has not changed meanwhile. */
async function insert({ spot, comparison }: Open, choice: Choice): Promise<void> {
  const item =
    choice === "first" ? comparison.items[0] : choice === "second" ? comparison.items[1] : null;
  if (!item) return;
  const editor = await returnTo(spot);
  await editor?.edit((edit) => edit.replace(rangeOf(spot, item), item.insertText));
}
