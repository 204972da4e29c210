/** The status bar item: one glance says what dcomplete does, hovering says why nothing appears. */

import { type Disposable, StatusBarAlignment, ThemeColor, window } from "vscode";
import type { Session } from "./session";
import { type Bar, describe } from "./state";

const BACKGROUND: Partial<Record<Bar["level"], string>> = {
  warning: "statusBarItem.warningBackground",
  error: "statusBarItem.errorBackground",
};

export function statusBar(session: Session): Disposable {
  const item = window.createStatusBarItem("dcomplete.status", StatusBarAlignment.Right, 100);
  item.name = "dcomplete";
  item.command = "dcomplete.showMenu";
  const draw = () => {
    const { text, sentences, level } = describe(session.situation);
    const background = BACKGROUND[level];
    item.text = text;
    item.tooltip = [...sentences, "Click for the menu."].join("\n");
    item.backgroundColor = background ? new ThemeColor(background) : undefined;
    item.accessibilityInformation = { label: `dcomplete. ${sentences.join(" ")}` };
  };
  const change = session.onDidChange(draw);
  const focus = window.onDidChangeActiveTextEditor(draw);
  draw();
  item.show();
  return {
    dispose() {
      change.dispose();
      focus.dispose();
      item.dispose();
    },
  };
}
