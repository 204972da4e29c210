/** A side panel whose script and style come from `media/`, and which may load nothing else. */

import { type Disposable, Uri, ViewColumn, type Webview, window } from "vscode";

type Handler = (message: { type: string; value?: unknown }) => void;

/**
 * One webview. While it is hidden VS Code throws its page away, and no message reaches it: all since the
 * last "begin" are kept, and a page that has just begun to listen gets them all.
 */
export class Panel implements Disposable {
  private readonly panel;
  private kept: unknown[] = [];
  private listening = false;
  private open = true;

  /**
   * @param view the name of the script in `media/`
   * @param closed called when the person closes the panel, or the extension does
   * @param seen called when the panel is hidden, or shown again
   */
  constructor(
    extension: Uri,
    view: "watch" | "compare",
    title: string,
    handler: Handler,
    closed: () => void,
    seen: (visible: boolean) => void = () => {},
  ) {
    const media = Uri.joinPath(extension, "media");
    const where = { viewColumn: ViewColumn.Beside, preserveFocus: true };
    this.panel = window.createWebviewPanel(`dcomplete.${view}`, title, where, {
      enableScripts: true,
      localResourceRoots: [media],
    });
    this.panel.webview.onDidReceiveMessage((message) => {
      if (message.type === "listening") this.replay();
      else handler(message);
    });
    this.panel.onDidChangeViewState(() => {
      if (!this.panel.visible) this.listening = false;
      seen(this.panel.visible);
    });
    this.panel.onDidDispose(() => {
      this.open = false;
      closed();
    });
    this.panel.webview.html = page(this.panel.webview, media, view, title);
  }

  get isOpen(): boolean {
    return this.open;
  }

  post(message: { type: string; [key: string]: unknown }): void {
    if (!this.open) return;
    if (message.type === "begin") this.kept = [];
    this.kept.push(message);
    if (this.listening) void this.panel.webview.postMessage(message);
  }

  reveal(): void {
    this.panel.reveal(undefined, true);
  }

  dispose(): void {
    if (this.open) this.panel.dispose();
  }

  private replay(): void {
    this.listening = true;
    for (const message of this.kept) void this.panel.webview.postMessage(message);
  }
}

function page(webview: Webview, media: Uri, view: string, title: string): string {
  const at = (name: string) => webview.asWebviewUri(Uri.joinPath(media, name)).toString();
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src ${webview.cspSource}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${at("panel.css")}">
<title>${title}</title>
</head>
<body><main></main><script src="${at(`${view}.js`)}"></script></body>
</html>`;
}
