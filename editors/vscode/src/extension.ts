/** Where VS Code starts and ends the extension. */

import { commands, type ExtensionContext, window, workspace } from "vscode";
import { offerInstall, register } from "./commands";
import { Compare } from "./compare";
import { SECTION } from "./config";
import { Session } from "./session";
import { OWN_KEYS, SERVER_KEYS } from "./settings";
import { statusBar } from "./statusbar";
import { Watch } from "./watch";

let running: Session | undefined;

export function activate(context: ExtensionContext): void {
  const before = performance.now();
  const log = window.createOutputChannel("dcomplete", { log: true });
  const session = new Session(log, String(context.extension.packageJSON.version));
  const watch = new Watch(context, session);
  const compare = new Compare(context, session);
  running = session;
  context.subscriptions.push(
    log,
    session,
    watch,
    compare,
    statusBar(session),
    ...register({ session, watch, compare, log }),
    ...listeners(session),
  );
  void session.start();
  log.info(`Activated in ${(performance.now() - before).toFixed(1)} ms.`);
}

export async function deactivate(): Promise<void> {
  await running?.stop();
}

function listeners(session: Session) {
  let told = false;
  let up = false;
  return [
    workspace.onDidChangeConfiguration((event) => {
      const touched = [...SERVER_KEYS, ...OWN_KEYS].filter((key) =>
        event.affectsConfiguration(`${SECTION}.${key}`),
      );
      const otherServer = touched.some((key) => key === "serverPath" || key === "serverArguments");
      if (touched.length > 0) void session.configure(otherServer);
    }),
    workspace.onDidGrantWorkspaceTrust(() => void session.start()),
    window.onDidChangeActiveTextEditor((editor) => {
      const connection = session.connection;
      if (connection === undefined) return;
      const params = editor ? { textDocument: { uri: connection.uri(editor.document) } } : {};
      void connection.notify("textDocument/didFocus", params);
    }),
    session.onDidChange(() => {
      const { phase } = session.situation;
      if (up !== (phase.kind === "running")) {
        up = !up;
        void commands.executeCommand("setContext", "dcomplete.running", up);
      }
      if (phase.kind === "missing" && !told) {
        told = true;
        void offerInstall(phase.message);
      }
    }),
  ];
}
